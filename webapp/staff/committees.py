"""Committees: how they decide, who sits in them, the cases that wait, and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text, parse_roc_date
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.models import Committee, CommitteeMember
from webapp.moments import taipei_day
from webapp.presentation import in_language, language, roc_date
from webapp.queries import committees as queries
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import committees, deliberation, hearings, invitations, parties, sittings, tallies
from webapp.services.hearings import Heard
from webapp.staff import bp, sessions
from webapp.staff.typed import moment
from webapp.uow import unit_of_work

Mistakes = dict[str, list[str]]


@bp.route("/committees", methods=["GET", "POST"])
def committee_list() -> ResponseReturnValue:
    """What waits for whom: the secretary's committees, minutes to approve, and the sessions of a member."""
    mistakes = Mistakes()
    if request.method == "POST":
        if not actor().may("run_committees"):
            raise Forbidden(
                Text(zh="只有委員會秘書可以設定委員會。", en="Only a committee secretary sets one up.")
            )
        name, codes, rules = _settings(mistakes)
        if not mistakes:
            with unit_of_work():
                unit = request.form.get("unit", 0, type=int)
                key = committees.create(actor(), unit, name, codes, now(), **vars(rules)).public_id
            flash(_("委員會已設定，接著任命委員。"), "success")
            return redirect(url_for("staff.committee_members", pid=key))
    seats = []
    for session in queries.seats_of(actor()):
        mine = queries.seat(actor(), session.committee, taipei_day(session.starts_at))
        if mine is not None:
            seats.append((session, _own_items(deliberation.deciding(session), mine)))
    units = sorted(queries.units_of(actor(), "run_committees"))
    page = render_template(
        "staff/committees.html",
        run=[(each, len(queries.waiting(each))) for each in queries.run_by(actor())],
        to_approve=queries.to_approve(actor()),
        seats=seats,
        units=[(str(unit), chart().units[unit].name(language())) for unit in units],
        services=_services() if units else [],
        typed=request.form,
        chosen=request.form.getlist("services"),
        mistakes=mistakes,
    )
    return page, 422 if mistakes else 200


def _own_items(
    decided: list[deliberation.Deciding], mine: CommitteeMember
) -> list[tuple[str, str, str, str]]:
    """Address, case number, service and own ballot of the items that the member may read."""
    found = []
    for each in decided:
        if mine.id in each.present:
            title = definitions.service(each.case.service_revision_id).title.in_(language())
            own = sessions.own_ballot(each, mine)
            url = url_for("staff.agenda_item", pid=each.item.public_id)
            found.append((url, each.case.number or "", title, own))
    return found


def _services() -> list[tuple[str, str]]:
    return [
        (service.code, f"{service.code} {service.title.in_(language())}")
        for service in definitions.current_services(taipei_day(now()))
    ]


def _settings(mistakes: Mistakes) -> tuple[Text, list[str], committees.Rules]:
    """What a form about a committee says; with the mistakes."""
    typed = request.form
    names = {key: typed.get(key, "").strip() for key in ("name_zh", "name_en")}
    mistakes |= {
        key: [_("請填寫名稱，最多 80 字。")] for key, name in names.items() if not 0 < len(name) <= 80
    }
    known = {code for code, _title in _services()}
    codes = [code for code in typed.getlist("services") if code in known]
    if not codes:
        mistakes["services"] = [_("請至少選一個申辦項目。")]
    line = typed.get("pass_score", "").strip()
    score = _decimal(line, tallies.HIGHEST) if line else None
    consent = typed.get("consent") == "yes"
    if line and score is None:
        mistakes["pass_score"] = [_("請填 0 到 100 的分數。")]
    breaks = typed.get("chair_breaks_ties") == "yes"
    if breaks and line:
        mistakes["chair_breaks_ties"] = [_("以評分審議時沒有可否同數，請不要勾選主席裁決，或不填及格分數。")]
    if consent and (line or breaks):
        mistakes["consent"] = [_("由當事人同意成立時不表決也不評分，請不要填及格分數或勾選主席裁決。")]
    rules = committees.Rules(
        quorum="two_thirds" if typed.get("quorum") == "two_thirds" else "majority",
        pass_score=score,
        amount_field=typed.get("amount_field", "").strip()[:80] or None,
        chair_breaks_ties=breaks,
        consent=consent,
    )
    return Text(zh=names["name_zh"] or "-", en=names["name_en"]), codes, rules


@bp.route("/committees/<pid>", methods=["GET", "POST"])
def committee(pid: str) -> ResponseReturnValue:
    """The cases that wait, and a new session with some of them."""
    found = _committee(pid)
    mistakes = Mistakes()
    if request.method == "POST":
        starts_at, budget = moment("day", "time", now(), mistakes), _budget(mistakes)
        place, items = request.form.get("place", "").strip(), request.form.getlist("cases")
        if not 0 < len(place) <= 120:
            mistakes["place"] = [_("請填寫地點，最多 120 字。")]
        if not items:
            mistakes["cases"] = [_("請至少選一個案件。")]
        if starts_at is not None and not mistakes:
            with unit_of_work():
                session = sittings.plan(actor(), found, starts_at, place, items, now(), budget=budget)
                key = session.public_id
            flash(_("會議已排定。"), "success")
            return redirect(url_for("staff.committee_session", pid=key))
    waiting = queries.waiting(found)
    applicants = queries.applicants([case.id for _item, case in waiting])
    goes_on = queries.goes_on([case.id for _item, case in waiting])
    heard = hearings.heard_of([case for _item, case in waiting])
    ways = parties.channels_of_cases([case for _item, case in waiting])
    page = render_template(
        "staff/committee.html",
        committee=found,
        waiting=[
            (
                item.public_id,
                f"{case.number}　{applicants.get(case.id, '')}",
                _told(heard[case.id], ways[case.id], goes_on.get(case.id)),
            )
            for item, case in waiting
        ],
        sessions=queries.sessions(found)[:100],
        members=list(queries.members(found, taipei_day(now())).values()),
        states=sessions.STATES,
        typed=request.form,
        boxes=_boxes("day"),
        mistakes=mistakes,
    )
    return page, 422 if mistakes else 200


def _told(people: Sequence[Heard], reached: Sequence[tuple[str, str, str]], goes_on: date | None) -> str:
    """Who hears of the session of a case, and how; and the day that was agreed on at the last one."""
    said = [_("訂於%(day)s續行調解。", day=roc_date(goes_on))] if goes_on else []
    ways = {"email": _("電子郵件"), "sms": _("簡訊"), "post": _("郵寄通知"), "call": _("電話告知")}
    told = []
    for person in people:
        if person.is_applicant:
            channels = dict.fromkeys(channel for _mark, channel, _to in reached)
            how = [ways[channel] for channel in channels] or [_("進度頁")]
        else:
            how = [_("公文"), *(ways[channel] for channel, _to in invitations.channels(person))]
        told.append(_("%(name)s（%(how)s）", name=person.name, how=_("、").join(how)))
    said.append(_("排定後通知：%(names)s", names=_("、").join(told)) if told else _("排定後不通知申請人。"))
    return " ".join(said)


@bp.route("/committees/<pid>/settings", methods=["GET", "POST"])
def committee_settings(pid: str) -> ResponseReturnValue:
    found = _committee(pid)
    mistakes, typed, chosen = Mistakes(), request.form, request.form.getlist("services")
    refusal = ""
    if request.method == "POST":
        name, codes, rules = _settings(mistakes)
        if not mistakes:
            try:
                with unit_of_work():
                    committees.edit(actor(), found, name, codes, rules, now(), version=_version())
            except Refused as refused:
                refusal = in_language(refused.text)
            else:
                flash(_("委員會的設定已更新。"), "success")
                return redirect(url_for("staff.committee", pid=pid))
    else:
        chosen = found.service_codes
    page = render_template(
        "staff/committee_settings.html",
        committee=found,
        services=_services(),
        typed=typed
        if request.method == "POST"
        else vars(committees.rules_of(found))
        | {"name_zh": found.name_zh, "name_en": found.name_en}
        | {"chair_breaks_ties": "yes" if found.chair_breaks_ties else ""}
        | {"consent": "yes" if found.mode == "consent" else ""},
        version=request.form.get("version", found.version),
        chosen=chosen,
        waiting=len(queries.waiting(found)),
        mistakes=mistakes,
        refusal=refusal,
    )
    return page, 422 if mistakes or refusal else 200


@bp.post("/committees/<pid>/close")
def close_committee(pid: str) -> ResponseReturnValue:
    found = _committee(pid)
    with unit_of_work():
        if request.form.get("open") == "yes":
            committees.reopen(actor(), found, now(), version=_version())
            said = _("委員會已恢復受理。")
        else:
            committees.close(actor(), found, now(), version=_version())
            said = _("委員會已停止受理，新的案件不會再提到這裡。")
    flash(said, "success")
    return redirect(url_for("staff.committee", pid=pid))


@bp.route("/committees/<pid>/members", methods=["GET", "POST"])
def committee_members(pid: str) -> ResponseReturnValue:
    """Everybody who sits or sat in it; somebody of the staff or an outside expert is appointed for some days."""
    found = _committee(pid)
    mistakes = Mistakes()
    kind = "outside" if request.values.get("kind") == "outside" else "inside"
    if request.method == "POST":
        starts_on = _day("starts", mistakes)
        ends_on = _day("ends", mistakes, optional=True)
        said = {
            "votes": request.form.get("votes", "yes") == "yes",
            "chairs": request.form.get("chairs") == "yes",
        }
        if starts_on is not None and not mistakes:
            try:
                with unit_of_work():
                    if kind == "outside":
                        name, house = (request.form.get(key, "") for key in ("name", "organisation"))
                        committees.appoint_outside(
                            actor(), found, name, house, starts_on, now(), ends_on, **said
                        )
                    else:
                        person = request.form.get("account", 0, type=int)
                        committees.appoint(actor(), found, person, starts_on, now(), ends_on, **said)
            except (Refused, Conflict) as refusal:
                mistakes["name" if kind == "outside" else "account"] = [in_language(refusal.text)]
            else:
                flash(_("委員已任命。"), "success")
                return redirect(url_for("staff.committee_members", pid=pid, kind=kind))
    today = taipei_day(now())
    terms = sorted(
        queries.terms(found), key=lambda row: (not row.sits_on(today), row.ends_on is not None, row.id)
    )
    there = {row.account_id for row in terms if row.sits_on(today)}
    page = render_template(
        "staff/committee_members.html",
        committee=found,
        terms=terms,
        today=today,
        people=sorted((str(key), name) for key, name in chart().names.items() if key not in there),
        typed=request.form,
        kind=kind,
        boxes={name: _boxes(name) for name in ("starts", "ends")}
        if request.method == "POST"
        else {"starts": _parts(today), "ends": {}},
        mistakes=mistakes,
    )
    return page, 422 if mistakes else 200


@bp.route("/committees/<pid>/members/<int:member>", methods=["GET", "POST"])
def committee_term(pid: str, member: int) -> ResponseReturnValue:
    """The last day of a member's term."""
    found = _committee(pid)
    term = queries.term(found, member)
    if term is None:
        raise NotFound()
    mistakes = Mistakes()
    if request.method == "POST":
        ends_on = _day("ends", mistakes, optional=True)
        if not mistakes:
            try:
                with unit_of_work():
                    committees.end_term(actor(), found, member, ends_on, now())
            except (Refused, Conflict) as refusal:
                mistakes["ends"] = [in_language(refusal.text)]
            else:
                flash(_("任期已更新。"), "success")
                return redirect(url_for("staff.committee_members", pid=pid))
    page = render_template(
        "staff/committee_term.html",
        committee=found,
        term=term,
        boxes=_boxes("ends") if mistakes else _parts(term.ends_on or taipei_day(now())),
        mistakes=mistakes,
    )
    return page, 422 if mistakes else 200


def _committee(pid: str) -> Committee:
    found = queries.committee(actor(), pid)
    if found is None:
        raise NotFound()
    return found


def _version() -> int:
    return request.form.get("version", 0, type=int)


def _boxes(name: str) -> dict[str, str]:
    return {part: request.form.get(f"{name}-{part}", "").strip() for part in ("year", "month", "day")}


def _parts(day: date) -> dict[str, str]:
    return {"year": str(day.year - 1911), "month": str(day.month), "day": str(day.day)}


def _day(name: str, mistakes: Mistakes, *, optional: bool = False) -> date | None:
    boxes = _boxes(name)
    if optional and not any(boxes.values()):
        return None
    try:
        return parse_roc_date("{year}年{month}月{day}日".format_map(boxes))
    except ValueError:
        mistakes[name] = [_("請填寫真實存在的日期，例如 115 年 12 月 3 日。")]
        return None


def _budget(mistakes: Mistakes) -> Decimal | None:
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
