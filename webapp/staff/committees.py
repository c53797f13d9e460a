"""Committees: the secretary's sessions and results, the minutes and their approval, the members' ballots."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation

from flask import flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

import forms.answers
from rules.values import Text, parse_roc_date
from webapp import crypto
from webapp.errors import Forbidden, NotFound
from webapp.models import CommitteeSession
from webapp.moments import TAIPEI, taipei_day
from webapp.presentation import language
from webapp.queries import committees as queries
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import cases, committees, tallies
from webapp.staff import bp
from webapp.uow import unit_of_work

STATES = {
    "planned": Text(zh="待開會", en="Planned"),
    "held": Text(zh="已開會，紀錄待核定", en="Held, minutes to be approved"),
    "minutes_approved": Text(zh="紀錄已核定", en="Minutes approved"),
}
VOTES = {
    "yes": Text(zh="同意", en="Yes"),
    "no": Text(zh="不同意", en="No"),
    "abstain": Text(zh="棄權", en="Abstain"),
}


@bp.route("/committees", methods=["GET", "POST"])
def committee_list() -> ResponseReturnValue:
    """What waits for whom: the secretary's committees, minutes to approve, and the sessions of a member."""
    mistakes: dict[str, list[str]] = {}
    if request.method == "POST":
        if not actor().may("run_committees"):
            raise Forbidden(
                Text(zh="只有委員會秘書可以設定委員會。", en="Only a committee secretary sets one up.")
            )
        key = _create(mistakes)
        if key:
            flash(_("委員會已設定，接著任命委員。"), "success")
            return redirect(url_for("staff.committee", pid=key))
    seats = []
    for session in queries.seats_of(actor()):
        if actor().account_id in queries.members(session.committee, taipei_day(session.starts_at)):
            seats.append((session, _own_items(session)))
    units = sorted(queries.units_of(actor(), "run_committees"))
    page = render_template(
        "staff/committees.html",
        run=queries.run_by(actor()),
        to_approve=queries.to_approve(actor()),
        seats=seats,
        units=[(str(unit), chart().units[unit].name(language())) for unit in units],
        services=[
            (service.code, f"{service.code} {service.title.in_(language())}")
            for service in (definitions.current_services(taipei_day(now())) if units else ())
        ],
        typed=request.form,
        mistakes=mistakes,
    )
    return page, 422 if mistakes else 200


def _create(mistakes: dict[str, list[str]]) -> str:
    """The key of a new committee; empty with the mistakes."""
    typed = request.form
    names = {key: typed.get(key, "").strip() for key in ("name_zh", "name_en")}
    mistakes |= {
        key: [_("請填寫名稱，最多 80 字。")] for key, name in names.items() if not 0 < len(name) <= 80
    }
    known = {service.code for service in definitions.current_services(taipei_day(now()))}
    codes = [code for code in typed.getlist("services") if code in known]
    if not codes:
        mistakes["services"] = [_("請至少選一個申辦項目。")]
    line = typed.get("pass_score", "").strip()
    score = _decimal(line, tallies.HIGHEST) if line else None
    if line and score is None:
        mistakes["pass_score"] = [_("請填 0 到 100 的分數。")]
    if mistakes:
        return ""
    with unit_of_work():
        made = committees.create(
            actor(),
            typed.get("unit", 0, type=int),
            Text(zh=names["name_zh"], en=names["name_en"]),
            codes,
            now(),
            quorum="two_thirds" if typed.get("quorum") == "two_thirds" else "majority",
            pass_score=score,
            amount_field=typed.get("amount_field", "").strip()[:80] or None,
        )
        return made.public_id


@bp.post("/committees/<pid>/members")
def appoint_member(pid: str) -> ResponseReturnValue:
    """From today on; a term that ended stays on record."""
    found = queries.committee(actor(), pid)
    if found is None:
        raise NotFound()
    with unit_of_work():
        committees.appoint(actor(), found, request.form.get("account", 0, type=int), taipei_day(now()), now())
    flash(_("委員已任命。"), "success")
    return redirect(url_for("staff.committee", pid=pid))


def _own_items(session: CommitteeSession) -> list[tuple[str, str, str, str]]:
    """Address, case number, service and own ballot of the items that the member may decide."""
    found = []
    for each in committees.deciding(session):
        if actor().account_id in each.eligible:
            title = definitions.service(each.case.service_revision_id).title.in_(language())
            own = committees.ballot_of(actor(), each.item)
            shown = VOTES[own].in_(language()) if own in VOTES else own
            found.append(
                (url_for("staff.agenda_item", pid=each.item.public_id), each.case.number or "", title, shown)
            )
    return found


@bp.route("/committees/<pid>", methods=["GET", "POST"])
def committee(pid: str) -> ResponseReturnValue:
    """The cases that wait, and a new session with some of them."""
    found = queries.committee(actor(), pid)
    if found is None:
        raise NotFound()
    mistakes: dict[str, list[str]] = {}
    if request.method == "POST":
        starts_at, budget = _moment(mistakes), _budget(mistakes)
        place, items = request.form.get("place", "").strip(), request.form.getlist("cases")
        if not 0 < len(place) <= 120:
            mistakes["place"] = [_("請填寫地點，最多 120 字。")]
        if not items:
            mistakes["cases"] = [_("請至少選一個案件。")]
        if starts_at is not None and not mistakes:
            with unit_of_work():
                session = committees.plan(actor(), found, starts_at, place, items, now(), budget=budget)
                key = session.public_id
            flash(_("會議已排定。"), "success")
            return redirect(url_for("staff.committee_session", pid=key))
    waiting = queries.waiting(found)
    applicants = queries.applicants([case.id for _item, case in waiting])
    members = queries.members(found, taipei_day(now()))
    page = render_template(
        "staff/committee.html",
        committee=found,
        waiting=[(item.public_id, f"{case.number}　{applicants.get(case.id, '')}") for item, case in waiting],
        sessions=queries.sessions(found),
        members=members.values(),
        people=sorted((str(key), name) for key, name in chart().names.items() if key not in members),
        states=STATES,
        typed=request.form,
        boxes=_boxes(),
        mistakes=mistakes,
    )
    return page, 422 if mistakes else 200


@bp.route("/sessions/<pid>", methods=["GET", "POST"])
def committee_session(pid: str) -> ResponseReturnValue:
    """The agenda with its counts; the secretary records the results."""
    session = _session(pid)
    if request.method == "POST":
        results = {
            each.item.public_id: (
                request.form.get(f"result-{each.item.public_id}", ""),
                request.form.get(f"remark-{each.item.public_id}", ""),
            )
            for each in committees.deciding(session)
        }
        with unit_of_work():
            committees.record(actor(), session, results, now(), version=_version())
        flash(_("決議已記錄，紀錄草稿已產生，等候主管核定。"), "success")
        return redirect(url_for("staff.committee_session", pid=pid))
    decided = committees.deciding(session)
    committee_units = queries.units_of(actor(), "run_committees")
    return render_template(
        "staff/committee_session.html",
        session=session,
        committee=session.committee,
        state=STATES[session.state],
        decided=decided,
        words={each.item.id: committees.count_words(each.count, language()) for each in decided},
        applicants=queries.applicants([each.case.id for each in decided]),
        titles={each.case.id: definitions.service(each.case.service_revision_id).title for each in decided},
        names=chart().names,
        labels=committees.LABELS,
        allowed={each.item.id: tallies.ALLOWED[each.count.verdict] for each in decided},
        may_record=session.committee.unit_id in committee_units
        and session.state != "minutes_approved"
        and now() >= session.starts_at,
        may_approve=session.state == "held"
        and queries.may_approve(actor(), session.committee)
        and actor().account_id not in (session.secretary_id, session.drafted_by_id),
    )


@bp.post("/sessions/<pid>/approve")
def approve_minutes(pid: str) -> ResponseReturnValue:
    session = _session(pid)
    with unit_of_work():
        committees.approve(actor(), session, now(), version=_version())
    flash(_("紀錄已核定，各案依決議進行。"), "success")
    return redirect(url_for("staff.committee_session", pid=pid))


@bp.get("/sessions/<pid>/minutes.pdf")
def minutes_pdf(pid: str) -> ResponseReturnValue:
    session = _session(pid)
    if session.pdf is None:
        raise NotFound(
            Text(
                zh="會議紀錄核定後由系統製作，通常一分鐘內完成。",
                en="The minutes are printed after their approval, usually within a minute.",
            )
        )
    content = io.BytesIO(crypto.unseal(bytes(session.pdf)))
    return send_file(content, mimetype="application/pdf", download_name="minutes.pdf")


@bp.route("/agenda/<pid>", methods=["GET", "POST"])
def agenda_item(pid: str) -> ResponseReturnValue:
    """One item for a member: what was applied for, the own ballot, and the way out of a conflict of interest."""
    found = committees.item_of(actor(), pid)
    if request.method == "POST":
        with unit_of_work():
            if request.form.get("action") == "conflict":
                reason = request.form.get("reason", "")
                committees.declare_conflict(actor(), pid, actor().account_id or 0, reason, now())
                said = _("已記錄迴避，您不再參與這一案。")
            else:
                committees.cast(actor(), pid, request.form.get("choice", ""), now())
                said = _("已記錄，決議記錄之前可以更改。")
        flash(said, "success")
        return redirect(url_for("staff.committee_list"))
    form = definitions.form(found.case.form_revision_id)
    session = next(s for s in queries.seats_of(actor()) if s.id == found.item.session_id)
    return render_template(
        "staff/agenda_item.html",
        item=found.item,
        case=found.case,
        session=session,
        committee=session.committee,
        service=definitions.service(found.case.service_revision_id),
        summary=forms.answers.summary(form, cases.answers_of(found.case), language()),
        own=committees.ballot_of(actor(), found.item),
        votes=list(VOTES.items()),
    )


def _session(pid: str) -> CommitteeSession:
    found = queries.session(actor(), pid)
    if found is None:
        raise NotFound()
    return found


def _version() -> int:
    return request.form.get("version", 0, type=int)


def _boxes() -> dict[str, str]:
    return {part: request.form.get(f"day-{part}", "").strip() for part in ("year", "month", "day")}


def _moment(mistakes: dict[str, list[str]]) -> datetime | None:
    day: date | None = None
    try:
        day = parse_roc_date("{year}年{month}月{day}日".format_map(_boxes()))
    except ValueError:
        mistakes["day"] = [_("請填寫真實存在的日期，例如 115 年 12 月 3 日。")]
    try:
        begins = time.fromisoformat(request.form.get("time", "").strip()).replace(tzinfo=None)
    except ValueError:
        mistakes["time"] = [_("請填寫時間，例如 09:00。")]
        return None
    found = datetime.combine(day, begins, TAIPEI) if day else None
    if found is not None and found <= now():
        mistakes["day"] = [_("會議時間須在現在之後。")]
    return found


def _budget(mistakes: dict[str, list[str]]) -> Decimal | None:
    typed = request.form.get("budget", "").replace(",", "").strip()
    if not typed:
        return None
    found = _decimal(typed, Decimal(10**12 - 1))
    if found is None:
        mistakes["budget"] = [_("請填寫金額，例如 500000。")]
    return found


def _decimal(typed: str, highest: Decimal) -> Decimal | None:
    """A number from 0 to the highest with at most two decimals; None for anything else."""
    try:
        found = Decimal(typed)
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found <= highest and found == round(found, 2) else None
