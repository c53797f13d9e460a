"""Until when a draft is kept: shown on its pages, and said in time to whoever can be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, citizen, officer
from tests.officers import at, made, signed_in
from tests.visitor import in_process
from webapp.extensions import db
from webapp.jobs.sweeps import drop_expired_drafts, remind_of_drafts
from webapp.models import Document, Draft, Message
from webapp.permissions import Actor
from webapp.services import accounts, documents, drafts
from webapp.services.drafts import LIFETIME, REMIND_BEFORE
from webapp.uow import unit_of_work

INTAKE = {"channel": "counter", "received_on": "2025-09-25", "postmarked_on": None}


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def swept(app: Flask, now: datetime) -> list[tuple[str, str, str]]:
    """What stands in the outbox after a day's sweep: channel, subject, body."""

    def sweep() -> list[tuple[str, str, str]]:
        drop_expired_drafts(now)
        assert remind_of_drafts(now)["failed"] == 0
        found = db.session.query(Message).order_by(Message.id)
        return [(message.channel, message.subject, message.body) for message in found]

    return made(app, sweep)


def test_detail_10_draft_expiry_is_shown_and_reminded(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = signed_in(app, "chen.meiling")
    owner.get("/services/EC09")
    page = owner.press("開始申請")
    draft = page.path
    assert "保留至民國114年10月25日" in page.text and "到期前 7 天會提醒您" in page.text
    assert "保留至民國114年10月25日" in owner.get("/applications").text

    soon = NOW + LIFETIME - REMIND_BEFORE
    assert swept(app, soon - timedelta(days=1)) == []
    [(channel, subject, body)] = swept(app, soon)
    assert channel == "email" and subject == "您的草稿快到期了：犬貓絕育及寵物登記補助"
    assert "保留到民國114年10月25日" in body and draft.rpartition("/")[0] in body
    for days in (0, 1, 7):
        assert len(swept(app, soon + timedelta(days=days))) == 1, "it is said once"
    at(app, monkeypatch, soon)
    owner = signed_in(app, "chen.meiling")
    assert "剩 7 天就會刪除" in owner.get("/applications").text

    owner.get(draft)
    assert "保留至民國114年11月17日" in owner.press("儲存，稍後再填", {"applicant_name": "陳美玲"}).text
    later = soon + LIFETIME - REMIND_BEFORE
    assert len(swept(app, later - timedelta(days=1))) == 1
    assert len(swept(app, later)) == 2, "saved again, it has a new period and a new reminder"
    assert len(swept(app, soon + LIFETIME + timedelta(days=1))) == 2
    assert made(app, lambda: db.session.query(Draft).count()) == 0


def test_who_has_no_channel_sees_the_date_and_gets_nothing(app: Flask) -> None:
    nobody = in_process(app.test_client())
    nobody.get("/services/EC09")
    page = nobody.press("不登入，直接申請")
    assert "保留至民國114年10月25日" in page.text and "會提醒您" not in page.text
    assert swept(app, NOW + LIFETIME) == []


def test_a_mobile_number_gets_a_text_and_an_officer_a_notice(app: Flask) -> None:
    def two() -> None:
        with unit_of_work():
            person = accounts.register("林小姐", "", "一句好記的話就可以了", NOW, mobile="0987654301")
            person.language = "en"
        with unit_of_work():
            drafts.start(Actor("citizen", person.id), "EC09", NOW)
            clerk = officer("huang.meilan")
            drafts.start(clerk, "EC09", NOW, intake={**INTAKE, "clerk": clerk.account_id})

    made(app, two)
    said = {channel: body for channel, _subject, body in swept(app, NOW + LIFETIME)}
    assert set(said) == {"sms", "inbox"}
    assert "is kept until 25 October 2025" in said["sms"]
    clerk = signed_in(app, "huang.meilan")
    assert "您的草稿快到期了" in clerk.get("/staff/notices").text


def test_a_draft_that_was_saved_while_the_sweep_ran_is_not_reminded_of(app: Flask) -> None:
    def both() -> int:
        with unit_of_work():
            draft = drafts.start(citizen(), "EC09", NOW)
            found = drafts.to_remind(NOW.date() + LIFETIME)
            draft.expires_on += timedelta(days=30)
        with unit_of_work():
            for each in found:
                drafts.remind(each, NOW + LIFETIME)
        assert len(found) == 1
        return db.session.query(Message).count()

    assert made(app, both) == 0


def test_what_belongs_to_no_draft_is_kept(app: Flask) -> None:
    with app.app_context(), unit_of_work():
        for kind in ("upload", "letter_batch"):
            documents.store("甲.pdf", "application/pdf", b"%PDF-1.7", NOW, kind=kind, draft_key=f"{kind}-1")
    swept(app, NOW + timedelta(days=91))
    assert made(app, lambda: list(db.session.scalars(select(Document.kind)))) == ["letter_batch"]
