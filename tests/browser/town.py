"""A counter where everything stands that a page may have to show: a case in every state, drafts, papers, messages.

It is served from this very process, and its clock stands still, so every page looks the same every time.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from rules.decision import Trouble
from rules.values import Text
from tests import proposals_world, review_world
from tests.browser import plan_town
from tests.journeys import NOW, account, citizen, draft, officer, open_tasks, submitted, take
from tests.officers import absent, corrected, officer_of
from webapp.crypto import follow_code
from webapp.demo.performance import INVENTED
from webapp.demo.samples import day, picture
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import (
    Case,
    DefinitionDraft,
    Effect,
    Letter,
    PayoutClaim,
    SampleAudit,
    Survey,
)
from webapp.moments import taipei_day
from webapp.payments import Notification
from webapp.permissions import SYSTEM, Actor
from webapp.queries import bookings as slots_of
from webapp.queries import definitions, tracking
from webapp.queries.org import chart
from webapp.services import (
    agendas,
    alarms,
    applications,
    bookings,
    calendar,
    cases,
    clocks,
    committees,
    desk,
    documents,
    drafts,
    extensions,
    handovers,
    invoices,
    letter_changes,
    mailings,
    notices,
    overdue_lists,
    payments,
    payouts,
    phrases,
    score_import,
    scores,
    sittings,
    steps,
    surveys,
)
from webapp.services.printing import fingerprint
from webapp.uow import unit_of_work

TODAY = taipei_day(NOW)
#: long enough to be a nuisance on a phone
LONG_NAME = "金門縣烈嶼鄉西口村雙口社區老人福利協進會籌備處暨流浪動物照護志工隊"


@dataclass(frozen=True)
class Town:
    app: Flask
    address: str
    #: public ids of cases and drafts, by the name of what they are
    ids: dict[str, str]

    def path(self, pattern: str) -> str:
        return pattern.format_map(self.ids)


class Silent(WSGIRequestHandler):
    def log_request(self, *_args: object) -> None:
        """A line for every stylesheet would bury what matters."""


@contextmanager
def opened(database_url: str, now: datetime, settle: Callable[[], dict[str, str]]) -> Iterator[Town]:
    """`settle` puts things there, and returns their public ids by name."""
    from webapp import create_app

    app = create_app({"DATABASE_URL": database_url, "CLOCK": lambda: now})
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    address = app.config["BASE_URL"] = f"http://127.0.0.1:{server.port}"
    with app.app_context():
        ids = settle()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Town(app, address, ids)
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()


def work(case: Case, *kinds: str) -> None:
    """Prints and sends as the worker would."""
    orders = select(Effect.id).where(Effect.case_id == case.id, Effect.kind.in_(kinds)).order_by(Effect.id)
    for order in db.session.scalars(orders).all():
        perform_effect(order)


def settle() -> dict[str, str]:
    found = {name: make().public_id for name, make in CASES.items()}
    for name in ("EC09_granted", "EC06_conclude"):
        found[f"{name}_number"] = _case(found[name]).number or ""
    found["code"] = follow_code(found["EC06_conclude"])
    with unit_of_work():
        found |= _drafts()
        _give_up(found["EC09_withdrawn"])
    for name in CASES:
        work(_case(found[name]), "notice")
    work(_case(found["EC06_review"]), "receipt")
    granted = _case(found["EC09_granted"])
    work(granted, "letter")
    letter = tracking.letter(granted.id)
    assert letter is not None
    found |= {"letter": letter.number, "letter_code": fingerprint(letter), "letter_pid": letter.public_id}
    with unit_of_work():
        found |= _letters(letter, _case(found["EC09_rejected"]))
    found |= _common(_case(found["EC06_busy"]))
    found |= _days()
    found |= _payouts(granted)
    found |= _rules()
    found |= _scores()
    found |= proposals_world.settled(NOW)
    found |= review_world.settle()
    absent("xu.mingde", "lin.yahan", TODAY, TODAY)
    _due("EC09_review", found, TODAY - timedelta(days=4))
    _due("EC09_correction_answered", found, TODAY)
    found |= plan_town.settle()
    with unit_of_work():
        overdue_lists.make(NOW)
        found["survey"] = _asked(_case(found["EC09_granted"]))
        found["answered_survey"] = _asked(_case(found["EC09_rejected"]))
        surveys.answer(surveys.by_link(found["answered_survey"]), 4, "回復很快，謝謝。", NOW)
        drawn = SampleAudit(case_id=_case(found["EC09_granted"]).id, percent=20, drawn=True, at=NOW)
        db.session.add(drawn)
    found["audit"] = drawn.public_id
    with unit_of_work():
        _notices(_case(found["EC09_review"]))
        _rules_in_trouble()
    found["overdue_month"] = TODAY.strftime("%Y-%m")
    with unit_of_work():
        edited = desk.open_draft(officer("admin"), "ruleset", "performance_scoring", NOW)
        built = desk.open_draft(officer("admin"), "ruleset", "plan_reporting", NOW)
    found["grid_draft"], found["rules_draft"] = str(edited.id), str(built.id)
    return found


def _asked(case: Case) -> str:
    """滿意度調查, as if it had been a petition."""
    surveys.ask(case.id, NOW)
    return db.session.scalars(select(Survey.public_id).where(Survey.case_id == case.id)).one()


def _notices(case: Case) -> None:
    """A reminder to the officer, and a request of whom she stands in for."""
    reminder, asked = Text(zh=f"催辦：{case.number}", en=""), Text(zh=f"{case.number} 請求改分或移轉", en="")
    reason = Text(zh=f"{LONG_NAME}：申請人來電詢問進度，請於本週內辦理並回復。", en="")
    for people, subject in (("lin.yahan", reminder), ("xu.mingde", asked)):
        notices.tell_staff({account(people).id}, subject.zh, subject, reason, NOW, case.id)


def _rules_in_trouble() -> None:
    """Two rules that contradict each other, and an engine that is not to be trusted."""
    revision = definitions.revision_id("ruleset", "intake_risk", TODAY)
    text = Text(zh="只容許一條規則成立，但同時成立的有：high_up、co_review", en="only one rule may hold")
    facts = {"service.decision_level": 2, "service.co_review_units": ["PO", LONG_NAME], "case.paid": False}
    held = ("high_up", "co_review", "otherwise")
    for kind, engine_said in (("not_unique", None), ("difference", ("otherwise",))):
        alarms.rules_in_trouble(Trouble(kind, text, facts, engine_said, held), revision, facts, NOW)


def _letters(printed: Letter, rejected: Case) -> dict[str, str]:
    """A change that waits for the head, letters to print, and a phrase."""
    clerk, refusal = officer("lin.yahan"), tracking.letter(rejected.id)
    assert refusal is not None
    phrases.add(clerk, phrases.units_of(clerk)[0], "收據不符", "收據所載日期早於手術日期。", "", NOW)
    asked = letter_changes.Asked("revocation", "全部", "收據已補齊。", since=NOW.date())
    change = letter_changes.propose(clerk, refusal, rejected, asked, NOW)
    batch = mailings.order(clerk, [printed.public_id], NOW)
    return {"letter_change": change.public_id, "letter_batch": batch.public_id}


def _common(case: Case) -> dict[str, str]:
    """A case for which more time is asked, that has a slot, a committee, and an invoice that was paid too much."""
    clerk, secretary = officer(officer_of(case)), officer("xie.wanru")
    farming = chart().by_code["EC-AFF"].id
    days = bookings.Pattern(TODAY, TODAY + timedelta(days=7), frozenset(range(5)), time(9), time(11), 60, 1)
    with unit_of_work():
        waiting = extensions.ask(clerk, case, 3, "會勘日期未定。", NOW, version=case.version)
        room = bookings.create_resource(clerk, farming, Text(zh="諮詢台", en="Desk"), 1, ["EC06"])
        bookings.create_slots(clerk, room, days, NOW)
    with unit_of_work():
        bookings.choose(citizen(), case, slots_of.choices(case, NOW)[0].public_id, NOW)
        board = committees.create(
            secretary, chart().by_code["EC"].id, Text(zh="審議會", en="Board"), ["EC06"], NOW
        )
        committees.appoint(secretary, board, account("ou.yijun").id, TODAY, NOW, chairs=True)
        expert = committees.appoint_outside(
            secretary, board, "林振芳", "國立金門大學土木與工程管理學系教授", TODAY, NOW
        )
        item = agendas.put_on(case, NOW)
        session = sittings.plan(secretary, board, NOW + timedelta(days=7), "會議室", [item.public_id], NOW)
    with unit_of_work():
        invoice = invoices.open_invoice(clerk, steps.context(case), NOW)
        payments.record(SYSTEM, Notification("W-1", invoice.account, invoice.total + 100, NOW), NOW)
        lost, _new = payments.record(SYSTEM, Notification("W-2", "99371000000000", Decimal(50), NOW), NOW)
    return {
        "extension": waiting.public_id,
        "resource": room.public_id,
        "committee": board.public_id,
        "session": session.public_id,
        "item": item.public_id,
        "seat": str(expert.id),
        "invoice": invoice.public_id,
        "lost_payment": str(lost.id),
        "invoice_account": invoice.account,
    }


def _rules() -> dict[str, str]:
    """Drafts: with mistakes, with an example that fails, handed in; a version that is to come, and one in force."""
    admin, research = officer("admin"), officer("guo.shiming")

    def drafted(key: str, change: Callable[[dict[str, Any]], object]) -> DefinitionDraft:
        with unit_of_work():
            made = desk.open_draft(admin, "ruleset", key, NOW)
            body = copy.deepcopy(made.mapping)
            change(body)
            return desk.save(admin, made.id, body, NOW, version=made.version)

    def handed_in(made: DefinitionDraft, day: date) -> DefinitionDraft:
        with unit_of_work():
            return desk.submit(
                admin, made.id, "依 114 年第 3 季檢討會議決議調整。", day, NOW, version=made.version
            )

    def earlier(body: dict[str, Any]) -> None:
        body["parameters"]["warn_days"]["value"] = 3
        body["examples"][0]["facts"]["case.days_left"] = 4

    def gap(body: dict[str, Any]) -> None:
        body["tables"][0]["rows"][4]["when"][1] = {"op": "eq", "value": 1}
        body["rules"][0]["then"][0]["parts"] = ["reasons"]
        body["rules"][1]["when"]["fact"] = "plan.budget_executed"

    def later(body: dict[str, Any]) -> None:
        body["title"]["en"] = "Changed"

    wrong = drafted("progress_lag", gap)
    failing = drafted("plan_selection", lambda body: body["examples"][0].update(expect=[]))
    ready = handed_in(drafted("case_deadlines", earlier), TODAY + timedelta(days=6))
    for key, on in (("year_end_grade", TODAY), ("verification_picking", TODAY + timedelta(days=30))):
        made = handed_in(drafted(key, later), on)
        with unit_of_work():
            desk.approve(research, made.id, NOW, version=made.version)
    return {"draft_wrong": str(wrong.id), "draft_failing": str(failing.id), "draft_ready": str(ready.id)}


def _days() -> dict[str, str]:
    """A day off that counts, and one that was entered by mistake."""
    admin = officer("admin")
    with unit_of_work():
        for day in (date(2025, 7, 7), date(2025, 7, 8)):
            calendar.override(
                admin, day, "off", "颱風停班", "county", NOW, legal_source="府人字第 1140050001 號"
            )
        wrong, right = calendar.in_force()
        calendar.revoke(admin, wrong.id, "日期誤登", NOW)
    return {"day": str(right.id)}


def _payouts(granted: Case) -> dict[str, str]:
    """Lists in every state, a payment that came back, and one that is paid every month and waits."""
    clerk, head, cashier = officer("lin.yahan"), officer("chen.shufen"), officer("su.jiaqi")
    account = {"bank": "700", "account": "00012345678901", "holder": LONG_NAME}

    def waiting(award: str, month: date | None = None) -> PayoutClaim:
        made = PayoutClaim(
            case_id=granted.id,
            service_code=granted.service_code,
            award=award,
            amount=Decimal(2000),
            payee=LONG_NAME,
            account=account,
            created_at=NOW,
            confirmed_on=TODAY,
            first_month=month,
        )
        db.session.add(made)
        db.session.flush()
        return made

    lists = {}
    for state in ("proposed", "approved", "paid"):
        with unit_of_work():
            claim = waiting(f"town_{state}")
            made = payouts.gather(clerk, granted.service_code, "114年9月", {claim.public_id}, NOW)
            payouts.propose(clerk, made, NOW, version=made.version)
            if state != "proposed":
                payouts.approve(head, made, NOW, version=made.version, says_same=True)
            if state == "paid":
                payouts.pay(cashier, made, TODAY, NOW, version=made.version)
                payouts.give_back(cashier, made, 1, TODAY, "帳戶已結清", NOW)
            lists[f"{state}_list"] = made.public_id
    with unit_of_work():
        waiting("town_monthly", TODAY.replace(month=7, day=1))
    return {**lists, "claim": claim.public_id}


def _scores() -> dict[str, str]:
    """The published year of the demonstration, a table that is being reported, and one that is being reviewed."""
    clerk, control = officer("lin.yahan"), officer("guo.shiming")
    published = next(year for year in scores.years() if year.state == "published")
    tables = {}
    for number, name in ((114, "drafting"), (113, "review")):
        with unit_of_work():
            source = score_import.Source(number, "EC-APH", origin="demonstration")
            tables[name], _new = score_import.take_in(SYSTEM, source, INVENTED.read_bytes(), None, NOW)
    drafting, review = tables["drafting"], tables["review"]
    with unit_of_work():
        for row in scores.indicators(review):
            row.figure = None
            db.session.flush()
            said = scores.Report(row.target_raw, row.target, LONG_NAME, "已達成。")
            scores.report(clerk, review, row, said, NOW, version=row.version)
    for actor in (officer("chen.shufen"), control):
        with unit_of_work():
            scores.advance(actor, review, "", NOW, version=review.version)
    with unit_of_work():
        first = scores.indicators(review)[0].public_id
        scores.decide(control, review, [first], "confirmed", None, "", NOW, version=review.version)
    return {
        "score_published": published.public_id,
        "score_inverse": scores.indicators(published)[32].public_id,
        "score_drafting": drafting.public_id,
        "score_open": scores.indicators(drafting)[6].public_id,
        "score_review": review.public_id,
    }


def _drafts() -> dict[str, str]:
    owner, other, clerk = citizen(), citizen("wang.daming"), officer("huang.meilan")
    empty = drafts.start(owner, "EC06", NOW)
    helped = drafts.start(owner, "EC06", NOW)
    handovers.help_out(other, handovers.make(owner, helped, NOW), LONG_NAME, NOW)
    return {
        "helped": helped.public_id,
        "ready": draft("EC09", owner, applicant_name=[LONG_NAME]).public_id,
        "land": draft("EC06", owner, purpose=["other"], purpose_text=["農地重劃"]).public_id,
        "road": draft("PW01", other, emergency=["yes"], emergency_reason=["自來水管破裂"]).public_id,
        "empty": empty.public_id,
        "paper": drafts.start(clerk, "EC09", NOW, intake=_intake(clerk)).public_id,
        "leaving": drafts.start(owner, "EC09", NOW - timedelta(days=27)).public_id,
    }


def _give_up(pid: str) -> None:
    """What the worker tried in vain."""
    orders = db.session.scalars(select(Effect).where(Effect.case_id == _case(pid).id))
    for order in orders:
        order.state, order.attempts, order.last_error = "dead", 10, "ConnectionRefusedError"


def _due(name: str, ids: dict[str, str], on: date) -> None:
    with unit_of_work():
        for task in open_tasks(_case(ids[name])):
            task.due_on = on
        clocks.of_case(_case(ids[name]).id).due_on = on


def _case(pid: str) -> Case:
    return db.session.scalars(select(Case).where(Case.public_id == pid)).one()


# --- the cases, each by the steps that lead to its state -------------------------------------------------


def _pet(*steps: str, at: datetime = NOW, **changes: list[str]) -> Case:
    case = submitted("EC09", at, **changes)
    _give_to(case, "lin.yahan")
    for name in steps:
        login = "chen.shufen" if name in ("approve", "confirm_rejection") else "lin.yahan"
        comment = "寵物登記證明上的飼主不是申請人。\n請洽原飼主辦理變更登記。"
        asked = ("pet_name", "clinic", "surgery_proof", "bank")
        take(case, name, login, at, comment=comment, conditions="補助款限本年度內請領。", fields=asked)
    return case


def _give_to(case: Case, login: str) -> None:
    with unit_of_work():
        open_tasks(case)[0].assignee_id = account(login).id


def _released() -> Case:
    case = submitted("EC09")
    with unit_of_work():
        open_tasks(case)[0].assignee_id = None
    return case


def _of_an_absent_colleague() -> Case:
    case = submitted("EC09")
    _give_to(case, "xu.mingde")
    return case


def _answered() -> Case:
    case = _pet("request_correction", at=NOW - timedelta(days=2))
    corrected(case, pet_name=["小黑皮"], clinic=["金門縣金城動物醫院"])
    return case


def _withdrawn() -> Case:
    case = _pet()
    with unit_of_work():
        cases.take_as_citizen(citizen(), case, "withdraw", NOW, version=case.version)
    return case


def _digging(*steps: str) -> Case:
    case = submitted("PW01", actor=citizen("wang.daming"))
    _give_to(case, "yang.zhihao")
    for name in steps:
        take(case, name)
    return case


def _land(until: str) -> Case:
    """As far as the visit; then what the inspector finds."""
    case = submitted("EC06")
    if until == "review":
        return case
    take(case, "pass_papers")
    if until == "schedule":
        return case
    take(case, "schedule", on_date=TODAY + timedelta(days=5))
    if until == "inspect":
        return case
    [task] = open_tasks(case)
    photos = definitions.current_form("inspection_record", TODAY).field("photos")
    with unit_of_work():
        for name in ("東側.png", "西側.png"):
            documents.upload(officer("ou.yijun"), cases.upload_key(task), photos, name, picture(3), NOW)
    raw = {
        **day("inspected_on", TODAY),
        "use_matches": ["yes"],
        "findings": ["全區種植高粱，未見違規使用。"],
        "result": ["pass"],
    }
    if until == "improvement":
        raw |= {"result": ["improve"], "improvements": ["請清除田邊堆置的建材。"]}
        take(case, "improve", "ou.yijun", comment="請清除田邊堆置的建材。", raw=raw)
        return case
    take(case, "pass", "ou.yijun", raw=raw)
    if until == "conclude":
        take(case, "send_back", "cai.wenxiong", comment="請補充北側的使用情形。")
    return case


def _road(*opinions: str) -> Case:
    """Sent to both units, who give these opinions."""
    case = _digging("split")
    for login, opinion in zip(("dong.weilun", "lv.xinyi"), opinions, strict=False):
        raw = {
            "opinion": [opinion],
            "conditions": ["夜間須設警示燈。"],
            "comment": ["尖峰時段不得封閉車道。"],
        }
        take(case, "give_opinion", login, raw=raw)
    if len(opinions) == 2:
        _give_to(case, "yang.zhihao")
    return case


def _road_approved() -> Case:
    case = _road("agree", "agree_with_conditions")
    take(case, "propose_approval")
    return case


def _road_sent_back() -> Case:
    case = _road_approved()
    take(case, "send_back", "zhang.jianguo", comment="請補列施工時段。")
    return case


def _by_post() -> Case:
    clerk = officer("huang.meilan")
    with unit_of_work():
        taken = draft("EC09", clerk)
        taken.intake = _intake(clerk)
    with unit_of_work():
        return applications.submit(clerk, taken.public_id, NOW)


def _intake(clerk: Actor) -> dict[str, Any]:
    received = (TODAY - timedelta(days=3)).isoformat()
    return {
        "channel": "post",
        "received_on": received,
        "postmarked_on": received,
        "originals_seen": ["手術證明", "收據"],
        "note": "來電請改寄新址。",
        "clerk": clerk.account_id,
    }


#: <service>_<state>; the accessibility test wants one for every state in which an officer may act
CASES = {
    "EC09_review": partial(_pet, at=NOW - timedelta(days=20)),
    "EC09_pool": _released,
    "EC09_absent": _of_an_absent_colleague,
    "EC09_correction": partial(_pet, "request_correction"),
    "EC09_correction_answered": _answered,
    "EC09_approve": partial(_pet, "propose_approval"),
    "EC09_approve_rejection": partial(_pet, "propose_rejection"),
    "EC09_granted": partial(_pet, "propose_approval", "approve", applicant_name=[LONG_NAME]),
    "EC09_rejected": partial(_pet, "propose_rejection", "confirm_rejection"),
    "EC09_returned": partial(_pet, "return_application"),
    "EC09_withdrawn": _withdrawn,
    "EC09_by_post": _by_post,
    "EC06_review": partial(_land, "review"),
    "EC06_busy": partial(_land, "schedule"),
    "EC06_schedule": partial(_land, "schedule"),
    "EC06_inspect": partial(_land, "inspect"),
    "EC06_improvement": partial(_land, "improvement"),
    "EC06_approve": partial(_land, "approve"),
    "EC06_conclude": partial(_land, "conclude"),
    "PW01_review": _digging,
    "PW01_co_review": partial(_road, "agree"),
    "PW01_consolidate": partial(_road, "agree", "agree_with_conditions"),
    "PW01_objection": partial(_road, "disagree", "agree"),
    "PW01_approve": _road_approved,
    "PW01_redraft": _road_sent_back,
}
