"""How values look: language, dates, money, sizes, deadlines."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from flask_babel import force_locale

from rules.values import Text
from tests.functional.gallery import create_gallery
from webapp import presentation as p


@pytest.fixture(scope="module")
def gallery() -> Flask:
    return create_gallery()


@pytest.mark.parametrize(
    ("value", "style", "lang", "shown"),
    [
        (date(2026, 11, 22), "long", "zh", "民國115年11月22日"),
        (date(2026, 11, 22), "short", "zh", "115.11.22"),
        (date(2026, 11, 22), "long", "en", "22 November 2026"),
        ("2026-11-22", "short", "en", "22 Nov 2026"),
        (datetime(2026, 11, 22, 16, 30, tzinfo=UTC), "short", "zh", "115.11.23"),
        ("2026-11-22T16:30:00+00:00", "short", "zh", "115.11.23"),
        (None, "long", "zh", ""),
    ],
)
def test_a_day_is_a_day_in_taipei(gallery: Flask, value: object, style: str, lang: str, shown: str) -> None:
    with gallery.test_request_context(headers={"Cookie": f"lang={lang}"}):
        assert p.roc_date(value, style) == shown


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 11, 22, 2, 5, tzinfo=UTC), "民國115年11月22日 10:05"),
        (datetime(2026, 11, 22, 23, 5), "民國115年11月23日 07:05"),  # noqa: DTZ001  # stored without a zone
        (None, ""),
    ],
)
def test_a_moment_shows_the_minute_in_taipei(gallery: Flask, moment: datetime | None, shown: str) -> None:
    with gallery.test_request_context():
        assert p.roc_datetime(moment) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1000, "NT$\u00a01,000"),
        ("44000", "NT$\u00a044,000"),
        (Decimal("12.50"), "NT$\u00a012.50"),
        (Decimal("800.00"), "NT$\u00a0800"),
        (0, "NT$\u00a00"),
        (None, ""),
        ("NaN", "NT$\u00a0NaN"),
        ("依規費標準", "NT$\u00a0依規費標準"),
    ],
)
def test_money(value: object, shown: str) -> None:
    assert p.money(value) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "1\u00a0KB"),
        (123_456, "121\u00a0KB"),
        (10 * 1024 * 1024, "10.0\u00a0MB"),
        (None, ""),
    ],
)
def test_file_sizes(size: int | None, shown: str) -> None:
    assert p.filesize(size) == shown


@pytest.mark.parametrize(
    ("left", "warn", "level", "words"),
    [
        (-3, 2, "red", "逾期 3 個工作天"),
        (-1, 2, "red", "逾期 1 個工作天"),
        (0, 2, "yellow", "今天到期"),
        (2, 2, "yellow", "剩 2 個工作天"),
        (3, 2, "green", "剩 3 個工作天"),
        (3, 3, "yellow", "剩 3 個工作天"),
        (None, 2, "none", "無期限"),
    ],
)
def test_the_state_of_a_deadline(gallery: Flask, left: int | None, warn: int, level: str, words: str) -> None:
    with gallery.test_request_context():
        due = p.due(left, warn)
        assert (due.level, due.words) == (level, words)
        assert due.sign == {"red": "▲", "yellow": "◆", "green": "●", "none": ""}[level]


def test_a_paused_clock_is_neither_near_nor_late(gallery: Flask) -> None:
    with gallery.test_request_context():
        assert p.due(-3, paused=True).level == "paused"


def test_texts_follow_the_language_and_fall_back_to_chinese(gallery: Flask) -> None:
    with gallery.test_request_context(), force_locale("en"):
        assert p.in_language(Text(zh="犬", en="Dog")) == "Dog"
        assert p.in_language(Text(zh="犬")) == "犬"
        assert p.in_language(None) == ""
    assert p.language() == "zh"  # in a job there is no page


@pytest.mark.parametrize(
    ("cookie", "lang"), [(None, "zh-Hant-TW"), ("zh", "zh-Hant-TW"), ("en", "en"), ("fr", "zh-Hant-TW")]
)
def test_only_the_cookie_chooses_the_language(gallery: Flask, cookie: str | None, lang: str) -> None:
    client = gallery.test_client()
    if cookie:
        client.set_cookie("lang", cookie)
    page = client.get("/", headers={"Accept-Language": "en"}).text
    assert f'<html lang="{lang}"' in page


def test_the_switch_remembers_the_language_and_comes_back(gallery: Flask) -> None:
    client = gallery.test_client()
    answer = client.get("/language/en?next=/components?tab=2")
    assert answer.location == "/components?tab=2"
    assert 'lang="en"' in client.get("/").text
    client.get("/language/zh?next=/")
    assert 'lang="zh-Hant-TW"' in client.get("/").text
    assert client.get("/language/fr").status_code == 404


@pytest.mark.parametrize(
    ("path", "method", "back"),
    [
        ("/components?tab=2", "GET", "/components?tab%3D2"),
        ("/form/pet/applicant", "POST", "/form/pet/applicant"),
        ("/draft", "POST", "/"),
        ("/nowhere", "GET", "/nowhere"),
    ],
)
def test_the_switch_leads_to_a_page_that_can_be_asked_for(
    gallery: Flask, path: str, method: str, back: str
) -> None:
    with gallery.test_request_context(path, method=method):
        assert p.language_url("en") == f"/language/en?next={back}"


@pytest.mark.parametrize(
    "target", ["https://example.com/", "//example.com", "/\\example.com", "javascript:alert(1)", "", "/a\nb"]
)
def test_the_switch_never_leaves_the_site(gallery: Flask, target: str) -> None:
    answer = gallery.test_client().get("/language/en", query_string={"next": target})
    assert answer.location == "/"


def test_the_header_shows_what_the_visitor_may_use_and_where_they_are(gallery: Flask) -> None:
    with gallery.test_request_context("/components"):
        entries = {entry.url: entry.current for entry in p.navigation()}
    assert entries == {"/": False, "/components": True}  # 承辦作業 has no blueprint here
