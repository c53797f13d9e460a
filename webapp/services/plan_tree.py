"""What plans serve: visions, indicators and mid-term plans are added, changed and linked by the plan-control office.

Every change stays in the audit record with what it was before: pledges roll on, and who moved what can be asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select

from rules.values import Text
from webapp.errors import Conflict, Misfit, NotFound, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Plan, RegisterEntry, ScoreHeading, ScoreYear
from webapp.permissions import Actor
from webapp.queries import plan_tree
from webapp.queries.audit import last_hand
from webapp.queries.org import chart
from webapp.queries.plan_tree import ABOVE, INDICATOR, MID_TERM, UPPER, VISION
from webapp.services import plan_imports, scores
from webapp.services.plan_control import require

LONGEST_TITLE = 200
NAMES: Mapping[str, Text] = {
    VISION: Text(zh="願景", en="vision"),
    INDICATOR: Text(zh="指標", en="indicator"),
    MID_TERM: Text(zh="中程計畫", en="mid-term plan"),
}


@dataclass(frozen=True)
class Said:
    """What the form of a vision, an indicator or a mid-term plan says."""

    title: str
    unit: str
    first_year: int
    #: of a mid-term plan alone
    last_year: int | None = None
    #: public id of what it stands below; empty: of nothing
    above: str = ""


def add(actor: Actor, kind: str, said: Said, now: datetime, origin: str = "entered") -> Plan:
    require(actor)
    if kind not in UPPER:
        raise Misfit("kind", Text(zh="請選擇種類。", en="Choose a kind."))
    _check(kind, said)
    # whoever adds another of the year at the same time waits here
    code = plan_imports.next_code(said.first_year)
    above = _above(kind, said.above)
    _is_new(kind, said, above)
    made = Plan(
        code=code,
        title=said.title.strip(),
        kind=kind,
        roc_year=said.first_year,
        last_year=said.last_year,
        level="magistrate" if kind != MID_TERM else "county",
        lead_unit_id=chart().by_code[said.unit].id,
        parent_id=above,
        origin=origin,
    )
    db.session.add(made)
    db.session.flush()
    _audit(actor, "added", made, f"新增{NAMES[kind].zh}「{made.title}」", now)
    return made


def change(actor: Actor, of: Plan, said: Said, now: datetime, *, version: int) -> None:
    require(actor)
    hold(of, version)
    _check(of.kind, said)
    new = {
        "title": said.title.strip(),
        "roc_year": said.first_year,
        "last_year": said.last_year,
        "lead_unit_id": chart().by_code[said.unit].id,
        "parent_id": _above(of.kind, said.above),
    }
    _years_hold_what_is_below(of, said)
    told = [
        f"{label}由「{_told(name, getattr(of, name))}」改為「{_told(name, new[name])}」"
        for name, label in _LABELS.items()
        if getattr(of, name) != new[name]
    ]
    if not told:
        return
    for name, value in new.items():
        setattr(of, name, value)
    db.session.flush()
    _audit(actor, "changed", of, "；".join(told), now)


_LABELS = {
    "title": "名稱",
    "roc_year": "起始年度",
    "last_year": "結束年度",
    "lead_unit_id": "主辦單位",
    "parent_id": "上位計畫",
}


def _told(name: str, value: object) -> str:
    if value is None:
        return "（無）"
    if name == "lead_unit_id":
        return chart().units[int(str(value))].zh
    if name == "parent_id":
        return db.session.get_one(Plan, value).title
    return str(value)


def remove(actor: Actor, of: Plan, now: datetime, *, version: int) -> None:
    """What was added in error: nothing stands below it, no register controls it, no goal names it."""
    require(actor)
    hold(of, version)
    used = db.session.query(
        exists().where(Plan.parent_id == of.id)
        | exists().where(RegisterEntry.plan_id == of.id)
        | exists().where(ScoreHeading.mid_term_id == of.id)
    ).scalar()
    if used:
        raise Refused(
            Text(
                zh="還有計畫、列管別或績效目標用到它，不能刪除；請先移出。",
                en="Plans, registers or goals refer to it, so it stays; take them out first.",
            )
        )
    _audit(actor, "removed", of, f"刪除{NAMES[of.kind].zh}「{of.title}」", now)
    db.session.delete(of)
    db.session.flush()


def link(
    actor: Actor,
    of: Plan,
    public_ids: Sequence[str],
    now: datetime,
    *,
    version: int,
    only_free: bool = False,
) -> int:
    """Plans stand below it from now on; one that stood elsewhere is moved, and both sides say so."""
    require(actor)
    hold(of, version)
    plans = db.session.scalars(
        select(Plan).where(Plan.public_id.in_(public_ids)).order_by(Plan.id).with_for_update()
    ).all()
    if not plans:
        raise Misfit("plans", Text(zh="請至少選一個計畫。", en="Choose at least one plan."))
    for each in plans:
        if each.kind == INDICATOR:
            raise _cannot_stand(each, "plans")
        if only_free and each.parent_id not in (None, of.id):
            raise _not_free(each, db.session.get_one(Plan, each.parent_id))
        place(actor, each, of, now, "plans")
    return len(plans)


def place(actor: Actor, plan: Plan, above: Plan | None, now: datetime, field: str) -> None:
    """Below another one from now on, or below none; both sides say so. Whoever calls holds the plan."""
    if above is not None:
        _may_stand(plan, above, field)
    former = db.session.get(Plan, plan.parent_id) if plan.parent_id is not None else None
    plan.parent_id = above.id if above is not None else None
    db.session.flush()
    if former is above:
        return
    if former is not None:
        left = f"移出「{plan.title}」" if above is None else f"「{plan.title}」改列「{above.title}」"
        _audit(actor, "unlinked", former, left, now)
    if above is not None:
        _audit(actor, "linked", above, f"加入「{plan.title}」", now)


def hold_above(plan: Plan, code: str) -> Plan | None:
    """What a plan stands below, and what it is to stand below by its code, locked in one order; the latter."""
    with db.session.no_autoflush:
        found = db.session.scalars(
            select(Plan)
            .where((Plan.id == plan.parent_id) | (Plan.code == code), Plan.kind.in_(UPPER))
            .order_by(Plan.id)
            .with_for_update()
        ).all()
    above = next((each for each in found if each.code == code), None)
    if code and above is None:
        raise Misfit(
            "parent",
            Text(
                zh=f"沒有編號「{code}」的指標或中程計畫。",
                en=f"There is no indicator or mid-term plan {code}.",
            ),
        )
    return above


def _may_stand(plan: Plan, above: Plan, field: str) -> None:
    if above.kind not in ABOVE[plan.kind]:
        raise _cannot_stand(plan, field)
    if above.kind == MID_TERM and not above.roc_year <= plan.roc_year <= (above.last_year or above.roc_year):
        raise Misfit(
            field,
            Text(
                zh=f"「{plan.title}」是 {plan.roc_year} 年度的計畫，不在中程計畫的期間內。",
                en=f"“{plan.title}” is of {plan.roc_year}, outside the years of the mid-term plan.",
            ),
        )


def _cannot_stand(plan: Plan, field: str) -> Misfit:
    return Misfit(field, Text(zh=f"「{plan.title}」不能列在這裡。", en=f"“{plan.title}” cannot stand here."))


def link_free(actor: Actor, above: str, public_ids: Sequence[str], now: datetime) -> int:
    """Plans of the list of those that serve nothing; one that stands somewhere by now is named and moves nowhere."""
    require(actor)
    of = db.session.scalars(
        select(Plan).where(Plan.public_id == above, Plan.kind.in_((INDICATOR, MID_TERM)))
    ).one_or_none()
    if of is None:
        raise Misfit("above", Text(zh="請選擇指標或中程計畫。", en="Choose an indicator or a mid-term plan."))
    return link(actor, of, public_ids, now, version=plan_tree.version(of), only_free=True)


def unlink(actor: Actor, of: Plan, public_id: str, now: datetime, *, version: int) -> None:
    require(actor)
    hold(of, version)
    found = db.session.scalars(
        select(Plan).where(Plan.public_id == public_id, Plan.parent_id == of.id).with_for_update()
    ).one_or_none()
    if found is None or found.kind == INDICATOR:
        raise NotFound()
    place(actor, found, None, now, "plans")


# --- goals of score tables --------------------------------------------------------------------------------


def name_goal(actor: Actor, of: Plan, heading_id: int, now: datetime, *, version: int) -> None:
    """A goal of a table that is being drafted comes from this mid-term plan."""
    require(actor)
    hold(of, version)
    found = {heading.id: (heading, year) for heading, year in plan_tree.goals_to_name(of)}
    if of.kind != MID_TERM or heading_id not in found:
        raise Misfit("goal", Text(zh="請選擇填報中績效表的目標。", en="Choose a goal of a table in work."))
    heading, year = found[heading_id]
    scores.hold(year, year.version, "drafting")
    heading.mid_term_id = of.id
    db.session.flush()
    _audit(actor, "goal_named", of, f"{year.year} 年度{year.unit_name}績效目標「{heading.title}」", now)


def leave_goal(actor: Actor, of: Plan, heading_id: int, now: datetime, *, version: int) -> None:
    require(actor)
    hold(of, version)
    heading = db.session.scalars(
        select(ScoreHeading).where(ScoreHeading.id == heading_id, ScoreHeading.mid_term_id == of.id)
    ).one_or_none()
    if heading is None:
        raise NotFound()
    year = db.session.get_one(ScoreYear, heading.year_id)
    scores.hold(year, year.version, "drafting")
    heading.mid_term_id = None
    db.session.flush()
    _audit(actor, "goal_left", of, f"不再對應{year.year} 年度績效目標「{heading.title}」", now)


# --- checks -----------------------------------------------------------------------------------------------


def hold(of: Plan, version: int) -> None:
    """Locked until the transaction ends; refused where somebody changed it since the page was made."""
    db.session.flush()
    key = of.id
    if db.session.get(Plan, key, with_for_update=True, populate_existing=True) is None:
        raise NotFound()
    if plan_tree.version(of) != version:
        who = last_hand(plan_tree.subject(of))
        raise Conflict(
            Text(
                zh=f"「{of.title}」剛剛由{who or '別人'}修改，您的輸入沒有送出，請重新載入。",
                en=f"{who or 'Somebody else'} has just changed “{of.title}”. Nothing was sent; reload.",
            )
        )


def _not_free(plan: Plan, above: Plan) -> Conflict:
    who = last_hand(plan_tree.subject(above))
    return Conflict(
        Text(
            zh=f"「{plan.title}」已列在「{above.title}」之下{f'（{who}）' if who else ''}，這次的選擇都沒有送出。",
            en=f"“{plan.title}” stands below “{above.title}” already{f' ({who})' if who else ''}. Nothing was sent.",
        )
    )


def _check(kind: str, said: Said) -> None:
    if not 0 < len(said.title.strip()) <= LONGEST_TITLE:
        raise Misfit(
            "title",
            Text(
                zh=f"請填名稱，最多 {LONGEST_TITLE} 字。",
                en=f"Give a name of at most {LONGEST_TITLE} characters.",
            ),
        )
    if said.unit not in chart().by_code:
        raise Misfit("unit", Text(zh="請選擇主辦單位。", en="Choose the leading unit."))
    if not 1 <= said.first_year <= 999:
        raise Misfit("first_year", Text(zh="請填民國年度，例如 115。", en="Give a ROC year, such as 115."))
    if (kind == MID_TERM) != (said.last_year is not None):
        raise Misfit("last_year", Text(zh="請填結束年度。", en="Give the last year."))
    if said.last_year is not None and not said.first_year <= said.last_year <= 999:
        raise Misfit(
            "last_year",
            Text(zh="結束年度不能早於起始年度。", en="The last year is not before the first one."),
        )
    if kind == INDICATOR and not said.above:
        raise Misfit("above", Text(zh="請選擇所屬的願景。", en="Choose the vision that it belongs to."))


def _above(kind: str, public_id: str) -> int | None:
    if not public_id:
        return None
    found = db.session.scalars(
        select(Plan).where(Plan.public_id == public_id, Plan.kind.in_(ABOVE[kind]))
    ).one_or_none()
    if found is None:
        raise Misfit("above", Text(zh="請選擇上位計畫。", en="Choose what it stands below."))
    return found.id


def _is_new(kind: str, said: Said, above: int | None) -> None:
    """A form that is sent twice makes one."""
    same = select(Plan.id).where(
        Plan.kind == kind,
        Plan.title == said.title.strip(),
        Plan.roc_year == said.first_year,
        Plan.parent_id == above if above is not None else Plan.parent_id.is_(None),
    )
    if db.session.scalars(same.limit(1)).first() is not None:
        raise Misfit(
            "title",
            Text(
                zh=f"已經有同名的{NAMES[kind].zh}。",
                en=f"There is a {NAMES[kind].en} of that name already.",
            ),
        )


def _years_hold_what_is_below(of: Plan, said: Said) -> None:
    if of.kind != MID_TERM:
        return
    outside = db.session.scalars(
        select(Plan.title)
        .where(Plan.parent_id == of.id, ~Plan.roc_year.between(said.first_year, said.last_year))
        .order_by(Plan.roc_year, Plan.id)
        .limit(1)
    ).first()
    if outside is not None:
        raise Misfit(
            "last_year",
            Text(
                zh=f"「{outside}」不在這些年度之內，請先移出。",
                en=f"“{outside}” is outside these years; take it out first.",
            ),
        )


def _audit(actor: Actor, what: str, of: Plan, detail: str, now: datetime) -> None:
    db.session.add(
        AuditEntry(
            at=now,
            actor_id=actor.account_id,
            action=f"{plan_tree.CHANGES}{what}",
            subject=plan_tree.subject(of),
            detail=detail,
        )
    )
    db.session.flush()
