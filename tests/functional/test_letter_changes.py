"""更正、撤銷、廢止: only by a new letter that names the old one, approved by somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.functional.test_letters import at_own_case, carry_out, decided
from tests.journeys import NOW, account, officer
from tests.officers import at, case_of, made, signed_in
from tests.visitor import Visitor, in_process
from webapp.errors import Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.models import Document, Effect, Letter, LetterChange, Message
from webapp.services import documents, events, letter_changes, printing
from webapp.uow import unit_of_work

OFFICER, HEAD = "lin.yahan", "chen.shufen"


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


@pytest.fixture
def case(app: Flask) -> str:
    return decided(app)


def letters(app: Flask) -> list[Letter]:
    return made(app, lambda: list(db.session.scalars(select(Letter).order_by(Letter.id))))


def propose(app: Flask, case: str, kind: str = "correction_of", login: str = OFFICER) -> None:
    def do() -> None:
        with unit_of_work():
            old = db.session.scalars(select(Letter).order_by(Letter.id)).first()
            asked = letter_changes.Asked(kind, "二千元更正為三千元", "誤算", "4", NOW.date())
            letter_changes.propose(officer(login), old, case_of(case), asked, NOW)

    made(app, do)


def approve(app: Flask, login: str = HEAD) -> None:
    def do() -> None:
        with unit_of_work():
            change = db.session.scalars(select(LetterChange).order_by(LetterChange.id.desc())).first()
            letter_changes.approve(officer(login), change, NOW)

    made(app, do)


def at_letter(app: Flask, login: str = OFFICER) -> Visitor:
    visitor = signed_in(app, login)
    visitor.get(f"/staff/letters/{letters(app)[0].public_id}")
    return visitor


def test_a_correction_is_proposed_approved_sent_and_seen_everywhere(app: Flask, case: str) -> None:
    carry_out(app, "letter")
    before = letters(app)[0]
    desk = at_letter(app)
    desk.follow("更正、撤銷或廢止")
    desk.press("送主管決行", {"kind": "correction_of", "result": "二千元更正為三千元", "reason": "誤算"})
    assert "有一件變更等候決行" in desk.page.text

    head = signed_in(app, HEAD)
    head.get("/staff/inbox")
    head.follow("待決行的公文變更（1）")
    head.follow(before.number)
    assert f"更正本機關民國114年9月25日{before.number}函，請查照。" in head.page.text
    head.press("同意並發文")
    old, new = letters(app)
    assert (new.kind, new.changes_id, old.content) == ("correction_of", old.id, before.content)
    assert new.number in head.page.text and "更正函" in head.page.text

    carry_out(app, "letter")
    carry_out(app, "notice")
    marked = f"這份公文已更正：民國114年9月25日 {new.number}"
    own = at_own_case(app, case)
    assert marked in own.text and f"核准函 {before.number}" in own.text.replace("\u3000", " ")
    assert f"更正函 {new.number}" in own.text.replace("\u3000", " "), "named as what it is"
    assert f"公文文號：{before.number}" in own.text, "the approval is by its own letter"
    assert marked in at_letter(app).page.text
    citizen = signed_in(app, "chen.meiling")
    text = citizen.get(own.links(f"{new.number}，民國114年9月25日")[0]).pdf_text.replace(" ", "")
    assert old.number in text and "行政程序法第101條第1項" in text
    assert "訴願" not in text, "a correction opens no period of its own"
    stamped = citizen.get(f"/applications/{case}/letter.pdf")
    assert stamped.status == 200, "the old one stays readable"
    assert f"本函已更正：民國114年9月25日{new.number}" in stamped.pdf_text.replace(" ", "")
    paper = made(app, lambda: documents.content_of(db.session.get(Document, letters(app)[0].document_id)))
    assert paper != stamped.content and b"%PDF" in paper, (
        "the archive keeps it as it was, and its checksum holds"
    )
    assert "已更正" not in "".join(page.extract_text() for page in PdfReader(BytesIO(paper)).pages)
    code = made(app, lambda: printing.fingerprint(db.session.get_one(Letter, old.id)))
    assert marked in in_process(app.test_client()).get(f"/verify?number={old.number}&code={code}").text
    said = made(app, lambda: [m.body for m in db.session.scalars(select(Message).order_by(Message.id))])
    assert any(f"先前的公文已更正，新的公文文號 {new.number}" in body for body in said)
    assert made(app, lambda: events.broken_links(case_of(case).id)) == []


def test_after_a_revocation_there_is_nothing_left_to_change(app: Flask, case: str) -> None:
    propose(app, case, "revocation")
    approve(app)
    assert "溯及既往失其效力" in letters(app)[1].content["paragraphs"][-1]
    with pytest.raises(Refused, match="撤銷或廢止"):
        propose(app, case, "correction_of")
    assert "更正、撤銷或廢止" not in [a.text for a in at_letter(app).page.soup.select("main a")]


@pytest.mark.parametrize("kind", ["withdrawal", "revocation", "correction_of"])
def test_each_kind_names_its_article(app: Flask, case: str, kind: str) -> None:
    propose(app, case, kind)
    approve(app)
    article = {
        "withdrawal": "第123條第4款、第124條",
        "revocation": "第117條、第121條第1項",
        "correction_of": "第101條第1項",
    }[kind]
    assert any(article in text for text in letters(app)[1].content["paragraphs"])


def test_of_two_changes_in_a_minute_each_message_names_its_own_letter(app: Flask, case: str) -> None:
    for _ in range(2):
        propose(app, case)
        approve(app)
    carry_out(app, "notice")
    messages = made(app, lambda: list(db.session.scalars(select(Message))))
    bodies = [m.body for m in messages if m.recipient.startswith("chen.meiling")]
    assert [sum(each.number in body for body in bodies) for each in letters(app)] == [1, 1, 1]


def test_the_two_years_also_bind_whoever_approves(app: Flask, case: str) -> None:
    propose(app, case, "revocation")
    late = NOW + timedelta(days=731)

    def do() -> None:
        change = db.session.scalars(select(LetterChange)).one()
        letter_changes.approve(officer(HEAD), change, late)

    with pytest.raises(Refused, match="第121條第1項"):
        made(app, do)


def test_a_revoked_approval_is_seen_as_revoked_and_each_letter_has_its_own_appeal(
    app: Flask, case: str
) -> None:
    carry_out(app, "letter")
    citizen = signed_in(app, "chen.meiling")
    citizen.get(f"/applications/{case}/letter.pdf")
    propose(app, case, "revocation")
    approve(app)
    old, new = letters(app)
    text = at_own_case(app, case).text.replace("\u3000", " ")
    assert f"撤銷函 {new.number}" in text and f"核准函 {old.number}" in text
    assert "得於民國114年11月24日前（含當日）提起訴願" in text, "that of the approval, which was served"


def test_it_is_approved_by_a_head_who_did_not_propose_it(app: Flask, case: str) -> None:
    propose(app, case, login=HEAD)
    for login in (HEAD, OFFICER, "cai.wenxiong"):
        with pytest.raises(Forbidden):
            approve(app, login)
    with pytest.raises(IntegrityError, match="decided_by_another"):
        made(app, lambda: _decided_by_the_proposer())
    assert len(letters(app)) == 1


def _decided_by_the_proposer() -> None:
    with unit_of_work():
        change = db.session.scalars(select(LetterChange)).one()
        change.state, change.decided_by_id, change.decided_at = "issued", account(HEAD).id, NOW


def test_one_change_at_a_time_and_decided_once(app: Flask, case: str) -> None:
    propose(app, case)
    with pytest.raises(Conflict, match="林雅涵"):
        propose(app, case, "revocation")
    approve(app)
    with pytest.raises(Conflict, match="陳淑芬"):
        approve(app)
    propose(app, case)
    approve(app)
    assert [letter.kind for letter in letters(app)] == ["grant", "correction_of", "correction_of"]
    keys = made(app, lambda: list(db.session.scalars(select(Effect.idempotency_key))))
    assert len([key for key in keys if ":letter_changed:" in key]) == 2


def test_what_is_not_approved_goes_back_with_the_reason(app: Flask, case: str) -> None:
    propose(app, case)
    head = signed_in(app, HEAD)
    head.get("/staff/letter-changes")
    head.follow(letters(app)[0].number)
    head.press("不同意，退回")
    assert head.page.mistakes == ["請寫明不同意的理由。"]
    head.press("不同意，退回", {"answer": "沒有誤算"})
    assert "沒有誤算" in head.page.text
    assert len(letters(app)) == 1
    propose(app, case)


LATE = {"since-year": "112", "since-month": "9", "since-day": "24"}
TODAY = {"since-year": "114", "since-month": "9", "since-day": "25"}
TOMORROW = {**TODAY, "since-day": "26"}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"kind": "", "result": "甲", "reason": "乙"}, "kind"),
        ({"kind": "grant", "result": "甲", "reason": "乙"}, "kind"),
        ({"kind": "correction_of", "result": " ", "reason": "乙"}, "result"),
        ({"kind": "correction_of", "result": "甲", "reason": ""}, "reason"),
        ({"kind": "correction_of", "result": "甲", "reason": "長" * 4001}, "reason"),
        ({"kind": "correction_of", "result": "甲\U0001f60a", "reason": "乙"}, None),
        ({"kind": "withdrawal", "result": "甲", "reason": "乙", **TODAY}, "ground"),
        ({"kind": "withdrawal", "ground": "6", "result": "甲", "reason": "乙", **TODAY}, "ground"),
        ({"kind": "withdrawal", "ground": "4", "result": "甲", "reason": "乙"}, "since-year"),
        ({"kind": "withdrawal", "ground": "4", "result": "甲", "reason": "乙", **LATE}, "since-year"),
        ({"kind": "revocation", "result": "甲", "reason": "乙", **LATE}, "since-year"),
        ({"kind": "revocation", "result": "甲", "reason": "乙", **TOMORROW}, "since-year"),
    ],
)
def test_an_incomplete_change_is_refused_at_its_field_and_kept(
    app: Flask, case: str, typed: dict[str, str], field: str | None
) -> None:
    desk = signed_in(app, OFFICER)
    page = desk.post(f"/staff/letters/{letters(app)[0].public_id}/change", typed)
    assert page.status == 422 and len(page.mistakes) == 1
    [link] = page.soup.select(".govuk-error-summary__list li")
    assert (link.a["href"] if link.a else None) == (f"#{field}" if field else None)
    assert field is None or page.soup.select_one(f"#{field}")
    assert page.value("reason").strip() == typed["reason"]
    assert made(app, lambda: db.session.query(LetterChange).count()) == 0


def test_the_database_knows_one_decision_and_no_change_without_its_letter(app: Flask, case: str) -> None:
    def add(**changes: object) -> None:
        old = db.session.scalars(select(Letter)).one()
        values = {"case_id": old.case_id, "issued_on": old.issued_on, "content": {}, "channel": "post"}
        with unit_of_work():
            db.session.add(Letter(number="府字第1號", **(values | changes)))

    with pytest.raises(IntegrityError, match="uq_letter_decision"):
        made(app, lambda: add(kind="reject"))
    with pytest.raises(IntegrityError, match="a_change_names_what_it_changes"):
        made(app, lambda: add(kind="revocation"))
