"""Every route with every kind of visitor, on real ids of other people's things; and what every answer carries."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.routing import MapAdapter
from werkzeug.test import encode_multipart

from rules.values import Text
from tests import journeys, officers, proposals_world
from tests.visitor import Page, Visitor, in_process
from webapp.demo.performance import INVENTED
from webapp.demo.samples import picture
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import (
    Case,
    CaseEvent,
    Document,
    Draft,
    Effect,
    Letter,
    Message,
    PayoutClaim,
    Plan,
    PlanGrade,
    Register,
    RegisterEntry,
    ReviewMeeting,
    SampleAudit,
    Survey,
    Task,
    Verification,
)
from webapp.moments import taipei_day, utc_now
from webapp.payments import Notification
from webapp.permissions import SYSTEM, Actor
from webapp.queries import bookings as slots_of
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.services import (
    agendas,
    bookings,
    calendar,
    cases,
    committees,
    desk,
    documents,
    extensions,
    invoices,
    letter_changes,
    mailings,
    notices,
    overdue_lists,
    payments,
    payouts,
    phrases,
    refunds,
    score_import,
    scores,
    sittings,
    steps,
    surveys,
)
from webapp.services.score_import import Source
from webapp.uow import unit_of_work

#: 王大明 owns everything; 翁國樑 of 農林科 has the case, 楊志豪 works elsewhere
VISITORS = {
    "anonymous": None, "other": "chen.meiling", "owner": "wang.daming", "elsewhere": "yang.zhihao",
    "officer": "weng.guoliang", "clerk": "huang.meilan", "research": "guo.shiming", "admin": "admin",
}  # fmt: skip

#: Walked from top to bottom in a fresh world for each visitor. {asked} is a case that waits for a correction,
#: {decided} one with a letter, {visit} one with an open task in the pool.
TABLE = Path(__file__).parents[1] / "data" / "permissions.txt"
HEADER, *LINES = TABLE.read_text(encoding="utf-8").strip().splitlines()
COLUMNS = HEADER.split()
assert list(VISITORS) == COLUMNS


@dataclass(frozen=True)
class Row:
    method: str
    path: str
    expected: dict[str, int]


ROWS = [
    Row(method, path, dict(zip(COLUMNS, map(int, statuses), strict=True)))
    for method, path, *statuses in map(str.split, LINES)
]
Ids = dict[str, object]


@pytest.fixture
def ids(app: Flask, committed: None) -> Ids:
    """Real things of 王大明, by the names that the table uses."""
    return officers.made(app, _make_world)


def test_every_route_has_its_rows(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    some: Ids = dict.fromkeys(re.findall(r"{(\w+)}", "".join(LINES)), 1)
    tested = {(row.method, _rule(adapter, row, some)) for row in ROWS}
    exist = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert tested == exist


@pytest.mark.parametrize("visitor", VISITORS)
def test_who_may_open_and_send_what(app: Flask, ids: Ids, visitor: str) -> None:
    person = _visitor(app, visitor)
    answers = [(row, _ask(person, row, ids)) for row in ROWS]
    wrong = [
        f"{row.method} {row.path}: {page.status} instead of {row.expected[visitor]}"
        for row, page in answers
        if page.status != row.expected[visitor]
    ]
    assert not wrong, "\n".join(wrong)
    for _row, page in answers:
        _carries_the_headers(page)


@pytest.mark.parametrize("visitor", ["other", "elsewhere", "clerk"])
def test_what_belongs_to_others_looks_like_what_does_not_exist(app: Flask, ids: Ids, visitor: str) -> None:
    person = _visitor(app, visitor)
    nothing = dict.fromkeys(ids, "A" * 16) | {"file": ids["file"], "dead": 0, "seat": 0, "edited": 0}
    closed = [row for row in ROWS if row.expected[visitor] == 404 and row.expected["owner"] != 404]
    assert len(closed) > 20
    for row in closed:
        theirs, none = _ask(person, row, ids), _ask(person, row, nothing)
        assert none.status == 404, row
        assert theirs.text == none.text, row


# a script is told to sign in, which brings a new token
@pytest.mark.parametrize(("accept", "refusals"), [("text/html", {400}), ("application/json", {400, 401})])
def test_nothing_is_done_without_a_token(
    app: Flask, ids: Ids, monkeypatch: pytest.MonkeyPatch, accept: str, refusals: set[int]
) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    before = officers.made(app, _state)
    people = {"staff": _visitor(app, "officer"), "citizen": _visitor(app, "owner")}
    for row in (row for row in ROWS if row.method == "POST"):
        person = people["staff" if row.path.startswith("/staff") else "citizen"]
        page = _ask(person, row, ids, accept)
        assert page.status in refusals, (row, page)
    assert officers.made(app, _state) == before


def test_the_outbox_is_for_the_administrator_once_the_demonstration_is_over(
    app: Flask, ids: Ids, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "DEMO", False)
    found = {visitor: _visitor(app, visitor).get("/outbox").status for visitor in VISITORS}
    assert found == {visitor: 200 if visitor == "admin" else 403 for visitor in VISITORS}


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(app: Flask, committed: None) -> None:
    person = in_process(app.test_client())
    person.get("/services/EC09")
    page = person.send("POST", "/services/EC09/start", b"", {})
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("ecounter=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie


# --- asking -----------------------------------------------------------------------------------------------


def _visitor(app: Flask, visitor: str) -> Visitor:
    login = VISITORS[visitor]
    return officers.signed_in(app, login) if login else in_process(app.test_client())


def _ask(person: Visitor, row: Row, ids: Ids, accept: str = "text/html") -> Page:
    """One request, redirects not followed. What is posted is a picture, for where it is wanted."""
    path = row.path.format_map(ids)
    if row.method == "GET":
        return person.send("GET", path, None, {"Accept": accept})
    sent: dict[str, object] = {"file": FileStorage(io.BytesIO(picture()), "a.png"), "action": "continue"}
    task = ""
    if "/act/" in path:
        task, sent["version"] = f"?task={ids['task']}", str(ids["version"])
    boundary, body = encode_multipart(sent)
    kind = f"multipart/form-data; boundary={boundary}"
    return person.send("POST", path + task, body, {"Accept": accept, "Content-Type": kind})


def _rule(adapter: MapAdapter, row: Row, some: Ids) -> str:
    rule, _arguments = adapter.match(row.path.format_map(some), row.method, return_rule=True)
    return rule.rule


def _carries_the_headers(page: Page) -> None:
    assert "default-src 'self'" in page.headers["Content-Security-Policy"], page
    assert "unsafe" not in page.headers["Content-Security-Policy"], page
    assert page.headers["X-Content-Type-Options"] == "nosniff", page
    assert page.headers["X-Frame-Options"] == "DENY", page
    assert page.headers["Referrer-Policy"] == "same-origin", page
    is_style = page.path.endswith(".css")
    assert ("no-store" in page.headers["Cache-Control"]) is not is_style, page


# --- a world ----------------------------------------------------------------------------------------------


def _make_world() -> Ids:
    now = utc_now()
    owner = journeys.citizen("wang.daming")

    def new_case(*actions: tuple[str, dict]) -> Case:
        case = journeys.submitted("EC06", now, owner, land_township=["JC"])
        for name, given in actions:
            journeys.take(case, name, now=now, **given)
        return case

    asked = new_case(
        ("request_correction", {"fields": ("cadastral_map", "current_crops"), "comment": "請補。"})
    )
    visit = new_case(("pass_papers", {}), ("schedule", {"on_date": taipei_day(now)}))
    decided = new_case(("propose_rejection", {"comment": "不符。"}), ("confirm_rejection", {}))
    _print(decided)
    (task,) = journeys.open_tasks(visit)
    with unit_of_work():
        draft, other_draft = journeys.draft("EC06", owner, now), journeys.draft("EC06", owner, now)
        photos = definitions.current_form("inspection_record", taipei_day(now)).field("photos")
        officer = journeys.officer("weng.guoliang", now)
        photo = documents.upload(officer, cases.upload_key(task), photos, "現場.png", picture(), now)
        waiting = extensions.ask(officer, asked, 3, "會勘日期未定。", now, version=asked.version)
    rooms = _rooms(officer, owner, visit)
    letter = db.session.scalars(select(Letter).where(Letter.case_id == decided.id)).one()
    return {
        "extension": waiting.public_id,
        "asked": asked.public_id,
        "visit": visit.public_id,
        "decided": decided.public_id,
        "draft": draft.public_id,
        "other_draft": other_draft.public_id,
        "file": "cadastral_map",
        "draft_file": draft.raw["cadastral_map"][0],
        "case_file": cases.answers_of(asked)["cadastral_map"][0],
        "letter_file": db.session.get_one(Document, letter.document_id).public_id,
        "letter": letter.public_id,
        "batch": _batch(letter),
        "change": _change(decided, letter),
        "photo": photo.public_id,
        "task": task.public_id,
        "form": asked.form_revision_id,
        "dead": _dead(visit),
        "day": _day(),
        **rooms,
        "phrase": _phrase(visit),
        "notice": _notice(visit),
        "month": _month(),
        "survey": _survey(decided),
        "audit": _audit(decided),
        "edited": _edited(),
        **_scores(),
        **proposals_world.begun(utc_now()),
        **_board(visit),
        **_money(visit),
        **_payouts(decided),
        "grid_draft": _draft_of("performance_scoring"),
        "rules_draft": _draft_of("plan_reporting"),
        **_graded(),
        "plan": db.session.scalars(
            select(Plan.public_id).where(Plan.origin == "published").order_by(Plan.id).limit(1)
        ).one(),
        "upper": db.session.scalars(
            select(Plan.public_id).where(Plan.kind == "mid_term").order_by(Plan.id).limit(1)
        ).one(),
        "plan_entry": db.session.scalars(
            select(RegisterEntry.public_id).order_by(RegisterEntry.id).limit(1)
        ).one(),
        "meeting": db.session.scalars(select(ReviewMeeting.public_id).order_by(ReviewMeeting.id)).first(),
        "verification": db.session.scalars(select(Verification.public_id).order_by(Verification.id)).first(),
    }


def _graded() -> Ids:
    """A plan of the demonstration whose grade is published, and its register."""
    row = db.session.execute(
        select(Register.key, RegisterEntry.public_id)
        .join(RegisterEntry, RegisterEntry.register_id == Register.id)
        .join(PlanGrade, PlanGrade.entry_id == RegisterEntry.id)
        .order_by(PlanGrade.id)
        .limit(1)
    ).one()
    return {"year_over": row[0], "graded": row[1]}


def _draft_of(ruleset: str) -> int:
    with unit_of_work():
        editor = journeys.officer("guo.shiming", utc_now())
        return desk.open_draft(editor, "ruleset", ruleset, utc_now()).id


def _notice(case: Case) -> str:
    """A notice to the officer."""
    people = {journeys.account("weng.guoliang").id}
    with unit_of_work():
        words = Text(zh="催辦", en="Reminder")
        notices.tell_staff(people, "reminder", words, words, utc_now(), case.id)
    return db.session.scalars(select(Message.public_id).order_by(Message.id.desc()).limit(1)).one()


def _month() -> str:
    """The list of what is overdue this month."""
    now = utc_now()
    with unit_of_work():
        overdue_lists.make(now)
    return taipei_day(now).strftime("%Y-%m")


def _survey(case: Case) -> str:
    with unit_of_work():
        surveys.ask(case.id, utc_now())
    return db.session.scalars(select(Survey.public_id)).one()


def _scores() -> Ids:
    """A performance table of 農林科 that is being reported, with evidence of its first indicator."""
    now, officer = utc_now(), journeys.officer("weng.guoliang", utc_now())
    with unit_of_work():
        year, _new = score_import.take_in(SYSTEM, Source(114, "EC-AFF"), INVENTED.read_bytes(), None, now)
        row = scores.indicators(year)[2]
        file = scores.add_file(officer, year, row, "清冊.png", picture(), now)
    return {"score": year.public_id, "indicator": row.public_id, "evidence": file.public_id}


def _audit(case: Case) -> str:
    """As if its service had a sample."""
    audit = SampleAudit(case_id=case.id, percent=100, drawn=True, at=utc_now())
    with unit_of_work():
        db.session.add(audit)
    return audit.public_id


def _edited() -> int:
    """A draft of a ruleset, just begun."""
    now = utc_now()
    with unit_of_work():
        return desk.open_draft(journeys.officer("admin", now), "ruleset", "plan_selection", now).id


def _rooms(officer: Actor, owner: Actor, case: Case) -> Ids:
    """A desk of 農林科 with slots for two weeks; the case has the first of them."""
    now = utc_now()
    today, hours = taipei_day(now), (time(9), time(11))
    fortnight = bookings.Pattern(today, today + timedelta(days=14), frozenset(range(7)), *hours, 60, 1)
    with unit_of_work():
        unit = chart().by_code["EC-AFF"].id
        room = bookings.create_resource(officer, unit, Text(zh="諮詢台", en="Desk"), 1, ["EC06"])
        bookings.create_slots(officer, room, fortnight, now)
    first, second, *_rest = slots_of.choices(case, now)
    with unit_of_work():
        booking = bookings.choose(owner, case, first.public_id, now)
    return {"resource": room.public_id, "slot": second.public_id, "booking": booking.public_id}


def _board(case: Case) -> Ids:
    """A committee of 建設處 that decides on the case next week; the officer has a seat in it."""
    now = utc_now()
    secretary = journeys.officer("xie.wanru", now)
    with unit_of_work():
        unit, seat = chart().by_code["EC"].id, journeys.account("weng.guoliang").id
        board = committees.create(secretary, unit, Text(zh="審議會", en="Board"), ["EC06"], now)
        term = committees.appoint(secretary, board, seat, taipei_day(now), now)
        item = agendas.put_on(case, now)
        session = sittings.plan(secretary, board, now + timedelta(days=7), "會議室", [item.public_id], now)
    return {
        "committee": board.public_id,
        "session": session.public_id,
        "item": item.public_id,
        "seat": term.id,
    }


def _money(case: Case) -> Ids:
    """An invoice that was paid too much, and the refund of it."""
    now = utc_now()
    with unit_of_work():
        invoice = invoices.open_invoice(journeys.officer("weng.guoliang", now), steps.context(case), now)
        given = Notification("W-1", invoice.account, invoice.total + 100, now)
        payments.record(SYSTEM, given, now)
        lost, _new = payments.record(SYSTEM, Notification("W-2", "99371000000000", Decimal(5), now), now)
        refund = refunds.propose(journeys.officer("weng.guoliang", now), invoice, Decimal(60), "溢繳", now)
    return {
        "invoice": invoice.public_id,
        "refund": refund.public_id,
        "payment": lost.id,
        "version": case.version,
    }


def _payouts(case: Case) -> Ids:
    """A payment that the officer has put on a list."""
    now = utc_now()
    with unit_of_work():
        claim = PayoutClaim(
            case_id=case.id,
            service_code=case.service_code,
            award="subsidy",
            amount=Decimal(2000),
            payee="王大明",
            account={"bank": "700", "account": "00012345678", "holder": "王大明"},
            created_at=now,
            confirmed_on=taipei_day(now),
        )
        db.session.add(claim)
        db.session.flush()
        officer = journeys.officer("weng.guoliang", now)
        made = payouts.gather(officer, case.service_code, "測試", {claim.public_id}, now)
    return {"claim": claim.public_id, "list": made.public_id}


def _print(case: Case) -> None:
    for effect in db.session.scalars(
        select(Effect.id).where(Effect.case_id == case.id).order_by(Effect.id)
    ).all():
        perform_effect(effect)
    db.session.refresh(case)


def _change(case: Case, letter: Letter) -> str:
    with unit_of_work():
        officer, now = journeys.officer("weng.guoliang"), utc_now()
        return letter_changes.propose(
            officer, letter, case, letter_changes.Asked("correction_of", "誤字", "誤寫"), now
        ).public_id


def _batch(letter: Letter) -> str:
    with unit_of_work():
        return mailings.order(journeys.officer("weng.guoliang"), [letter.public_id], utc_now()).public_id


def _phrase(case: Case) -> str:
    with unit_of_work():
        officer = journeys.officer("weng.guoliang", utc_now())
        return phrases.add(
            officer, phrases.units_of(officer)[0], "未補正", "逾期未補正。", "", utc_now()
        ).public_id


def _dead(case: Case) -> int:
    """An order that the worker gave up."""
    with unit_of_work():
        order = db.session.scalars(select(Effect).where(Effect.case_id == case.id).limit(1)).one()
        order.state, order.attempts, order.last_error = "dead", 8, "PdfError"
    return order.id


def _day() -> int:
    """A day off that is over."""
    with unit_of_work():
        calendar.override(SYSTEM, date(2025, 1, 2), "off", "颱風停班", "county", utc_now())
    return calendar.in_force()[0].id


def _state() -> dict[str, object]:
    """Whatever a request could have changed."""
    drafts = db.session.scalars(select(Draft).order_by(Draft.id)).all()
    return {
        "drafts": [(draft.public_id, draft.version, draft.raw) for draft in drafts],
        "cases": db.session.execute(select(Case.id, Case.version, Case.status).order_by(Case.id)).all(),
        "tasks": db.session.execute(select(Task.id, Task.version).order_by(Task.id)).all(),
        "events": list(db.session.scalars(select(CaseEvent.id).order_by(CaseEvent.id))),
        "documents": list(db.session.scalars(select(Document.id).order_by(Document.id))),
        "effects": db.session.execute(select(Effect.id, Effect.state).order_by(Effect.id)).all(),
    }
