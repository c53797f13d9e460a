"""A committee's session: counts, results and minutes; ballots of outside members; an item for a member."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

import forms.answers
from rules.values import Text
from webapp import crypto
from webapp.errors import NotFound, Refused
from webapp.models import CommitteeMember, CommitteeSession
from webapp.moments import taipei, taipei_day
from webapp.presentation import in_language, language
from webapp.queries import committees as queries
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import ballots, cases, committees, deliberation, hearings, sittings, tallies
from webapp.services.deliberation import Deciding
from webapp.staff import bp, typed
from webapp.uow import unit_of_work

STATES = {
    "planned": Text(zh="待開會", en="Planned"),
    "held": Text(zh="已開會，紀錄待核定", en="Held, minutes to be approved"),
    "minutes_approved": Text(zh="紀錄已核定", en="Minutes approved"),
    "cancelled": Text(zh="已取消", en="Cancelled"),
}
VOTES = {
    "yes": Text(zh="同意", en="Yes"),
    "no": Text(zh="不同意", en="No"),
    "abstain": Text(zh="棄權", en="Abstain"),
}


def own_ballot(each: Deciding, mine: CommitteeMember) -> str:
    """In words: the vote or score, or why there is none."""
    if each.count.verdict == "consent":
        return _("由當事人同意成立，不表決")
    if mine.id not in each.eligible:
        return _("列席，不表決")
    own = ballots.ballot_of(each.item, mine.id)
    return VOTES[own].in_(language()) if own in VOTES else own or _("尚未表決")


@bp.route("/sessions/<pid>", methods=["GET", "POST"])
def committee_session(pid: str) -> ResponseReturnValue:
    """The agenda with its counts; the secretary records the results."""
    session = _session(pid)
    by_consent, refusal = session.committee.mode == "consent", ""
    if request.method == "POST":
        keys = [each.item.public_id for each in deliberation.deciding(session)]
        form = request.form
        try:
            with unit_of_work():
                committees.record(
                    actor(),
                    session,
                    {key: (form.get(f"result-{key}", ""), form.get(f"remark-{key}", "")) for key in keys},
                    now(),
                    version=typed.version(),
                    casting={key: form.get(f"casting-{key}", "") for key in keys},
                    heard={key: _heard(key) for key in keys} if by_consent else None,
                )
        except Refused as refused:
            refusal = in_language(refused.text)
        else:
            flash(_("決議已記錄，紀錄草稿已產生，等候主管核定。"), "success")
            return redirect(url_for("staff.committee_session", pid=pid))
    decided = deliberation.deciding(session)
    members = queries.members(session.committee, taipei_day(session.starts_at))
    page = render_template(
        "staff/committee_session.html",
        session=session,
        committee=session.committee,
        state=STATES[session.state],
        decided=decided,
        members=members,
        words={each.item.id: deliberation.count_words(each, language()) for each in decided},
        applicants=queries.applicants([each.case.id for each in decided]),
        titles={each.case.id: definitions.service(each.case.service_revision_id).title for each in decided},
        called={row.id: row.called for row in queries.terms(session.committee)},
        labels=tallies.labels(session.committee.mode),
        hearings=_shown_hearings(decided) if by_consent else {},
        open_cases=queries.visible_cases(actor(), [each.case.id for each in decided]),
        typed=request.form,
        refusal=refusal,
        is_run=_runs(session),
        may_record=_runs(session) and session.state in ("planned", "held") and now() >= session.starts_at,
        may_approve=session.state == "held"
        and queries.may_approve(actor(), session.committee)
        and actor().account_id not in (session.secretary_id, session.drafted_by_id),
        writers=[
            chart().names.get(key or 0, "") for key in {session.secretary_id, session.drafted_by_id} if key
        ],
    )
    return page, 422 if refusal else 200


@dataclass(frozen=True)
class ShownHearing:
    """The boxes of one case where the parties decide, as they were typed or recorded."""

    parties: list[tuple[str, str]]
    came: list[str]
    members: list[tuple[str, str]]
    mediated: list[str]
    alone: bool
    day: dict[str, str]


def _heard(key: str) -> hearings.Hearing:
    form = request.form
    return hearings.Hearing(
        came=frozenset(form.getlist(f"came-{key}")),
        members=frozenset(form.getlist(f"members-{key}", type=int)),
        alone=form.get(f"alone-{key}") == "yes",
        continues_on=typed.day_in(typed.posted_day(f"on-{key}")),
    )


def _shown_hearings(decided: Sequence[Deciding]) -> dict[str, ShownHearing]:
    people = hearings.heard_of([each.case for each in decided])
    return {each.item.public_id: _shown_hearing(each, people[each.case.id]) for each in decided}


def _shown_hearing(each: Deciding, people: Sequence[hearings.Heard]) -> ShownHearing:
    key, kept, form = each.item.public_id, each.item.hearing or {}, request.form
    comma = _("：")
    day = each.item.continues_on
    posted = request.method == "POST"
    return ShownHearing(
        parties=[(person.key, f"{person.label.in_(language())}{comma}{person.name}") for person in people],
        came=form.getlist(f"came-{key}")
        if posted
        else [row["key"] for row in kept.get("parties", ()) if row["came"]],
        members=[(str(who), each.members[who].called) for who in sorted(each.eligible)],
        mediated=form.getlist(f"members-{key}") if posted else [str(who) for who in kept.get("members", ())],
        alone=form.get(f"alone-{key}") == "yes" if posted else bool(kept.get("alone")),
        day=typed.posted_day(f"on-{key}") if posted else typed.boxes(day) if day else {},
    )


@bp.route("/sessions/<pid>/change", methods=["GET", "POST"])
def change_session(pid: str) -> ResponseReturnValue:
    """Another time or place, or none: whoever was invited is told."""
    session = _session(pid)
    if not _runs(session):
        raise NotFound()
    mistakes: typed.Mistakes = {}
    local, cancels = taipei(session.starts_at), request.form.get("action") == "cancel"
    if request.method == "POST":
        starts_at = None if cancels else typed.moment("day", "time", now(), mistakes)
        if not mistakes:
            try:
                with unit_of_work():
                    if cancels:
                        reason = request.form.get("reason", "")
                        sittings.cancel(actor(), session, reason, now(), version=typed.version())
                    elif starts_at is not None:
                        place = request.form.get("place", "")
                        sittings.move(actor(), session, starts_at, place, now(), version=typed.version())
            except Refused as refusal:
                mistakes["reason" if cancels else "place"] = [in_language(refusal.text)]
            else:
                flash(
                    _("會議已取消，案件等候排入別的會議，受邀的人會收到通知。")
                    if cancels
                    else _("會議已改期，受邀的人會收到通知。"),
                    "success",
                )
                return redirect(url_for("staff.committee_session", pid=pid))
    page = render_template(
        "staff/session_change.html",
        session=session,
        committee=session.committee,
        typed=request.form,
        boxes=typed.posted_day("day")
        if request.method == "POST" and not cancels
        else typed.boxes(local.date()),
        time=request.form.get("time") or local.strftime("%H:%M"),
        place=request.form.get("place") or session.place,
        version=request.form.get("version", session.version),
        mistakes=mistakes,
    )
    return page, 422 if mistakes else 200


@bp.route("/sessions/<pid>/items/<item>", methods=["GET", "POST"])
def session_item(pid: str, item: str) -> ResponseReturnValue:
    """For the secretary: the ballots of outside members, and who keeps out of an item."""
    session = _session(pid)
    if not _runs(session):
        raise NotFound()
    each = next((one for one in deliberation.deciding(session) if one.item.public_id == item), None)
    if each is None:
        raise NotFound()
    members = queries.members(session.committee, taipei_day(session.starts_at))
    outside = [members[key] for key in sorted(each.eligible) if members[key].is_outside]
    mistakes: dict[str, list[str]] = {}
    if request.method == "POST":
        conflict = request.form.get("action") == "conflict"
        try:
            with unit_of_work():
                if conflict:
                    who = request.form.get("member", 0, type=int)
                    _declare(item, who, members)
                else:
                    for member in outside:
                        choice = request.form.get(f"choice-{member.id}", "")
                        field = f"choice-{member.id}"
                        ballots.cast_for(actor(), item, member.id, choice, now())
        except Refused as refusal:
            mistakes["reason" if conflict else field] = [in_language(refusal.text)]
        else:
            flash(_("已記錄迴避。") if conflict else _("外聘委員的表決已登錄。"), "success")
            return redirect(url_for("staff.session_item", pid=pid, item=item))
    page = render_template(
        "staff/session_item.html",
        session=session,
        committee=session.committee,
        each=each,
        title=definitions.service(each.case.service_revision_id).title,
        applicant=queries.applicants([each.case.id]).get(each.case.id, ""),
        words=deliberation.count_words(each, language()),
        outside=[(member, ballots.ballot_of(each.item, member.id)) for member in outside],
        present=[(str(key), members[key].called) for key in sorted(each.present)],
        away=[(members[key].called, why) for key, why in each.conflicts.items() if key in members],
        votes=[(key, label.in_(language())) for key, label in VOTES.items()],
        typed=request.form,
        mistakes=mistakes,
    )
    return page, 422 if mistakes else 200


def _declare(item: str, who: int, members: dict[int, CommitteeMember]) -> None:
    if who not in members:
        raise Refused(Text(zh="請選擇要迴避的委員。", en="Choose the member."))
    ballots.declare_conflict(actor(), item, who, request.form.get("reason", "")[:500], now())


@bp.post("/sessions/<pid>/approve")
def approve_minutes(pid: str) -> ResponseReturnValue:
    session = _session(pid)
    with unit_of_work():
        committees.approve(actor(), session, now(), version=typed.version())
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
    found = ballots.item_of(actor(), pid)
    session = next(s for s in queries.seats_of(actor()) if s.id == found.item.session_id)
    mine = queries.seat(actor(), session.committee, taipei_day(session.starts_at))
    if mine is None:
        raise NotFound()
    if request.method == "POST":
        with unit_of_work():
            if request.form.get("action") == "conflict":
                ballots.declare_conflict(actor(), pid, mine.id, request.form.get("reason", ""), now())
                said = _("已記錄迴避，您不再參與這一案。")
            else:
                ballots.cast(actor(), pid, request.form.get("choice", ""), now())
                said = _("已記錄，決議記錄之前可以更改。")
        flash(said, "success")
        return redirect(url_for("staff.committee_list"))
    form = definitions.form(found.case.form_revision_id)
    return render_template(
        "staff/agenda_item.html",
        item=found.item,
        case=found.case,
        session=session,
        committee=session.committee,
        service=definitions.service(found.case.service_revision_id),
        summary=forms.answers.summary(form, cases.answers_of(found.case), language()),
        own=ballots.ballot_of(found.item, mine.id),
        may_vote=mine.id in found.eligible,
        votes=list(VOTES.items()),
    )


def _runs(session: CommitteeSession) -> bool:
    return session.committee.unit_id in queries.units_of(actor(), "run_committees")


def _session(pid: str) -> CommitteeSession:
    found = queries.session(actor(), pid)
    if found is None:
        raise NotFound()
    return found
