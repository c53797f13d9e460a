"""Finding a service, and what its page says before any sign-in."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask import Flask

from tests.officers import signed_in
from tests.visitor import Page, Visitor, in_process, plain
from workflows import service
from workflows.service import GROUPS

DOG, ROAD, FARM = "犬貓絕育及寵物登記補助", "道路挖掘許可申請", "農業用地作農業使用證明書"


@pytest.fixture
def visitor(app: Flask, committed: None) -> Visitor:
    return in_process(app.test_client())


def searched(visitor: Visitor, words: str) -> Page:
    return visitor.get(f"/?q={quote(words)}")


def titles(page: Page) -> list[str]:
    return [plain(card) for card in page.soup.select(".app-card__title")]


def test_the_catalogue_groups_services_and_shows_limit_fee_and_way(visitor: Visitor) -> None:
    page = visitor.get("/")
    headings = [plain(h) for h in page.soup.select("h2.govuk-heading-m")]
    assert headings == [group.zh for group in GROUPS.values() if group.zh in headings]
    assert {"農林漁牧", "寵物與動物", "道路與管線"} <= set(headings)
    facts = {
        plain(card.select_one(".app-card__title")): [plain(f) for f in card.select(".app-card__facts li")]
        for card in page.soup.select(".app-card")
    }
    assert len(facts) == len(service.read_all())
    assert facts[DOG] == ["14 個工作天", "免費", "線上申辦"]
    assert facts[FARM] == ["20 個工作天", "NT$ 500 起", "需到場一次"]
    assert facts[ROAD] == ["10 個工作天", "費用審查後通知", "線上申辦"]


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("狗", DOG),
        ("狗結紮", DOG),
        ("我想要申請貓結紮的補助", DOG),
        ("ＥＣ０９", DOG),
        ("挖馬路", ROAD),
        ("請問挖馬路要辦什麼？", ROAD),
        ("農地證明", FARM),
        ("excavation", ROAD),
        ("How do I get a farm certificate", FARM),
    ],
)
def test_everyday_words_find_the_service(visitor: Visitor, words: str, title: str) -> None:
    page = searched(visitor, words)
    assert titles(page)[0] == title
    assert page.value("q") == words


@pytest.mark.parametrize(
    "words", ["護照", "passport", "的", "？？？", "蛇" * 5000, "<script>alert(1)</script>"]
)
def test_a_word_without_a_service_gets_an_honest_answer_and_a_contact(visitor: Visitor, words: str) -> None:
    page = searched(visitor, words)
    assert page.status == 200
    assert "找不到和" in page.text
    assert page.soup.select_one('.govuk-inset-text a[href="tel:1999"]') is not None
    assert "<script>alert" not in str(page.soup)


def test_the_start_page_says_everything_before_sign_in(visitor: Visitor) -> None:
    page = visitor.get("/services/EC06")
    for words in (
        "約 20 分鐘",
        "20 個工作天",
        "申請資格",
        "土地登記謄本",
        "委託書",
        "需要的情況：代理人與申請人的關係為「受申請人委託」",
        "PDF、JPG、PNG，每個檔案最大 10 MB",
        "農業用地作農業使用認定及核發證明辦法第13條",
        "審查時要核對文件的正本",
    ):
        assert words in page.text, words
    ways = [plain(a) for a in page.soup.select(".app-ways .govuk-button")]
    assert ways == ["登入後申請", "用手機驗證碼", "不登入，直接申請"]


def test_whoever_is_not_eligible_reads_what_else_they_can_do(visitor: Visitor) -> None:
    visitor.get("/services/EC09")
    page = visitor.follow("我不符合這些資格，還有什麼辦法？")
    assert page.heading.startswith("不符合申請資格時")
    assert set(page.links("082-318823#62300")) == {"tel:082-318823,62300"}
    assert visitor.follow("我其實符合資格，回去申請").heading == DOG


def test_an_unknown_service_is_not_found(visitor: Visitor) -> None:
    assert visitor.get("/services/ZZ99").status == 404
    assert visitor.post("/services/ZZ99/start").status == 404


def test_staff_are_led_to_the_intake_page(app: Flask, committed: None) -> None:
    clerk = signed_in(app, "huang.meilan")
    assert clerk.get("/services/EC09").links("代為收件") == ["/staff/intake"]
    assert clerk.post("/services/EC09/start").status == 403


@pytest.mark.parametrize(
    "path", ["/help", "/privacy", "/accessibility", "/outbox", "/track", "/applications"]
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_that_stand_for_themselves(visitor: Visitor, path: str, lang: str) -> None:
    visitor.get(f"/language/{lang}")
    page = visitor.get(path)
    assert page.status == 200
    assert page.heading


def test_the_outbox_is_for_the_demonstration_and_administrators(
    app: Flask, visitor: Visitor, monkeypatch
) -> None:
    monkeypatch.setitem(app.config, "DEMO", False)
    assert visitor.get("/outbox").status == 403
    assert signed_in(app, "chen.meiling").get("/outbox").status == 403
    assert signed_in(app, "admin").get("/outbox").status == 200


def test_a_code_that_opens_an_account_is_shown_in_the_demonstration_only(
    app: Flask, visitor: Visitor, monkeypatch
) -> None:
    visitor.get("/sign-in/mobile")
    visitor.press("傳送驗證碼", {"mobile": "0912345678"})
    assert "驗證碼是" in visitor.get("/outbox").text
    monkeypatch.setitem(app.config, "DEMO", False)
    assert "驗證碼是" not in signed_in(app, "admin").get("/outbox").text


def test_the_language_is_chosen_on_every_page(visitor: Visitor) -> None:
    visitor.get("/services/EC09")
    page = visitor.follow("English")
    assert (page.path, page.heading) == ("/services/EC09", "Subsidy for neutering and pet registration")
    assert visitor.follow("中文").heading == DOG
