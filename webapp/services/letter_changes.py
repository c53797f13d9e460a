"""更正、撤銷、廢止: a letter that was sent is changed only by a new one that names it and is approved like a decision.

行政程序法 101 (更正): a slip; the decision stays as it is, so no period of remedy begins anew. 117, 121 (撤銷): within two
years of learning of the reason; that the remedy period has passed is not asked for, since a decision that can still be
appealed against may be revoked as well (訴願法 58 II). 122-124 (廢止): of a favourable decision on one of five grounds and
within two years after the ground arose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from rules.values import Text, format_roc_date, roc_year
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import Case, Letter, LetterChange, PayoutList
from webapp.models.letters import PLAIN
from webapp.moments import taipei_day
from webapp.permissions import Actor, visible_to
from webapp.queries import definitions
from webapp.queries import payouts as lists
from webapp.queries.org import Mandate, chart
from webapp.services import decisions, dispatch, duties, effects, events, notices, payouts
from webapp.services.decisions import Decider

LONGEST = 4000
#: 行政程序法 121 I, 124: within how many years
YEARS = 2
#: 行政程序法 123: why a lawful favourable decision may be withdrawn
GROUNDS: Mapping[str, Text] = {
    "1": Text(zh="第1款：法規准許廢止", en="1: the law allows it"),
    "2": Text(zh="第2款：原處分保留廢止權", en="2: the decision reserved it"),
    "3": Text(zh="第3款：附負擔而受益人未履行", en="3: an obligation attached to it was not met"),
    "4": Text(
        zh="第4款：所依據的法規或事實事後變更，不廢止將危害公益",
        en="4: law or facts changed, and keeping it would harm the public interest",
    ),
    "5": Text(zh="第5款：為防止或除去對公益的重大危害", en="5: to prevent or end serious harm to the public"),
}


@dataclass(frozen=True)
class Kind:
    label: Text
    #: 更正, 撤銷, 廢止
    verb: Text
    #: the last sentence of the letter: what becomes of the old one
    effect: str


KINDS: Mapping[str, Kind] = {
    "correction_of": Kind(
        Text(zh="更正（誤寫、誤算等顯然錯誤）", en="Correct (a slip of the pen, an obvious mistake)"),
        Text(zh="更正", en="was corrected"),
        "原函除上開更正部分外，其餘內容不變。",
    ),
    "revocation": Kind(
        Text(zh="撤銷（原處分違法）", en="Revoke (the decision was unlawful)"),
        Text(zh="撤銷", en="was revoked"),
        "原處分經撤銷後，溯及既往失其效力（行政程序法第118條）。",
    ),
    "withdrawal": Kind(
        Text(zh="廢止（原處分合法，因故不再維持）", en="Withdraw (the decision was lawful)"),
        Text(zh="廢止", en="was withdrawn"),
        "原處分自廢止時起失其效力（行政程序法第125條）。",
    ),
}
#: after these a letter has nothing left to change
ENDING = frozenset({"revocation", "withdrawal"})
#: what the new letter takes over from the old one
SAME = ("addressee", "responsible", "agent", "addressee_address", "unit", "contact")
#: 分層負責: who approves, by the decision level of the service; never less than a section head
APPROVERS = {1: "magistrate", 2: "department_head", 3: "section_head", 4: "section_head"}


def proposer(actor: Actor, letter: Letter, case: Case) -> Mandate | None:
    mandate = _mandate_to_propose(actor, letter, case)
    if mandate is None or duties.is_party(case, actor.account_id, mandate.acting_for_id):
        return None
    return mandate


def may_propose(actor: Actor, letter: Letter, case: Case) -> bool:
    return proposer(actor, letter, case) is not None


def may_decide(actor: Actor, change: LetterChange, case: Case) -> bool:
    return decider(actor, change, case) is not None


@dataclass(frozen=True)
class Asked:
    """A change as somebody asks for it."""

    kind: str
    result: str
    reason: str
    #: of a withdrawal of a favourable decision
    ground: str = ""
    #: when the reason of a revocation became known, or that of a withdrawal arose
    since: date | None = None


def has_years(letter: Letter, kind: str) -> bool:
    """Whether the law leaves two years only."""
    return kind == "revocation" or has_grounds(letter, kind)


def has_grounds(letter: Letter, kind: str) -> bool:
    return kind == "withdrawal" and letter.kind == "grant"


def mistakes(letter: Letter, asked: Asked, today: date) -> dict[str, Text]:
    """What is wrong with it, each at its field."""
    found: dict[str, Text] = {}
    if asked.kind not in KINDS:
        found["kind"] = Text(zh="請選擇更正、撤銷或廢止。", en="Choose what is to become of the letter.")
    if has_grounds(letter, asked.kind) and asked.ground not in GROUNDS:
        found["ground"] = Text(
            zh="廢止授予利益的處分，請選擇行政程序法第123條的款次。",
            en="Choose the ground of Art. 123 on which a favourable decision is withdrawn.",
        )
    if has_years(letter, asked.kind) and (wrong := _too_late(asked.kind, asked.since, today)):
        found["since"] = wrong
    for name, text in (("result", asked.result), ("reason", asked.reason)):
        if not text.strip() or len(text) > LONGEST:
            found[name] = Text(
                zh=f"請寫明變更的內容與理由，各不超過 {LONGEST} 字，目前 {len(text.strip())} 字。",
                en=f"State what changes and why, at most {LONGEST} characters each; these are {len(text.strip())}.",
            )
    return found


def _too_late(kind: str, since: date | None, today: date) -> Text | None:
    if since is None or since > today:
        return Text(zh="請填寫真實存在、不晚於今天的日期。", en="Give a day that exists, not after today.")
    if date_of_years(since) >= today:
        return None
    article = "第121條第1項" if kind == "revocation" else "第124條"
    return Text(
        zh=f"已超過 {YEARS} 年（行政程序法{article}），不能再變更。",
        en=f"More than {YEARS} years have passed (Administrative Procedure Act): it cannot be changed any more.",
    )


def date_of_years(since: date) -> date:
    """The last day of the two years; a 29 February ends on the last day of its month."""
    try:
        return since.replace(year=since.year + YEARS)
    except ValueError:
        return since.replace(year=since.year + YEARS, day=28)


def propose(actor: Actor, letter: Letter, case: Case, asked: Asked, now: datetime) -> LetterChange:
    mandate = _mandate_to_propose(actor, letter, case)
    if mandate is None:
        raise Forbidden(
            Text(zh="只有承辦單位可以提出公文的變更。", en="Only the unit of the case may propose this.")
        )
    duties.require_stranger(case, actor.account_id, mandate.acting_for_id)
    _hold(case)
    _require_open_to_change(letter)
    if wrong := mistakes(letter, asked, taipei_day(now)):
        raise Refused(next(iter(wrong.values())))
    kind = asked.kind
    body = compose(letter, case, asked)
    decisions.require_printable(body)
    change = LetterChange(
        letter_id=letter.id,
        kind=kind,
        body=body,
        proposed_by_id=actor.account_id,
        proposed_for_id=mandate.acting_for_id,
        proposed_at=now,
    )
    db.session.add(change)
    db.session.flush()
    said = f"{KINDS[kind].verb.zh}{letter.number}：{asked.reason.strip()}"
    _record(actor, case, "letter_change_proposed", said, now, change.proposed_for_id)
    waits = Text(zh=f"{case.number} 公文變更待決行", en=f"{case.number}: a change of a letter waits for you")
    _tell(_deciders(change, case, now), "proposed", change, case, waits, said, now)
    return change


def compose(letter: Letter, case: Case, asked: Asked) -> dict[str, Any]:
    """The new letter names the old one by date and number, to the same addressee."""
    kind, result, reason = asked.kind, asked.result, asked.reason
    service, verb = definitions.service(case.service_revision_id), KINDS[kind].verb.zh
    old = f"{format_roc_date(letter.issued_on)}{letter.number}函"
    basis = {
        "correction_of": "101條第1項",
        "revocation": "117條、第121條第1項",
        "withdrawal": f"123條第{asked.ground}款、第124條" if has_grounds(letter, kind) else "122條",
    }
    written = [
        (
            "fact",
            f"本機關{old}（案件編號 {case.number}，{service.title.zh}），{verb}如下：\n{result.strip()}",
        ),
        ("reason", f"{verb}理由：{reason.strip()}"),
        ("basis", f"法令依據：行政程序法第{basis[kind]}。"),
        ("note", KINDS[kind].effect),
    ]
    return {
        **{name: letter.content.get(name, "") for name in SAME},
        "title": "",
        "subject": f"{verb}本機關{old}，請查照。",
        "paragraphs": [text for _part, text in written],
        "parts": [part for part, _text in written],
        "reason": reason.strip(),
        "conditions": "",
        "office": decisions.office(case),
        # a correction decides nothing anew: no remedy of its own, and no period begins
        "remedy": "" if kind == "correction_of" else service.remedy.zh,
        "since": asked.since.isoformat() if asked.since and has_years(letter, kind) else "",
    }


def approve(actor: Actor, change: LetterChange, now: datetime) -> Letter:
    """發文 of the new letter. The old one stays as it was sent; every page says what changed it."""
    old, case, acting_for_id = _to_decide(actor, change, now)
    _require_open_to_change(old, besides=change)
    today, since = taipei_day(now), change.body.get("since")
    if since and (late := _too_late(change.kind, date.fromisoformat(since), today)):
        raise Refused(late)
    by = Decider(actor, _approver(case), acting_for_id)
    letter = Letter(
        case_id=case.id,
        kind=change.kind,
        number=decisions.next_number(chart().units[case.owner_unit_id].letter_word, roc_year(today)),
        issued_on=today,
        issued_by_id=actor.account_id,
        content=change.body | by.signs(case, today),
        channel=dispatch.default_channel(case),
        transit=dispatch.residence(case, change.body["remedy"]),
        changes_id=old.id,
    )
    db.session.add(letter)
    db.session.flush()
    said = KINDS[change.kind].verb
    notice = effects.effect(
        "notice",
        f"{case.public_id}:letter_changed:{letter.public_id}",
        now,
        case_id=case.id,
        template="letter_changed",
        comment=f"已{said.zh}" if case.language == "zh" else said.in_("en"),
        words={"letter": letter.number},
    )
    paper = effects.effect("letter", letter.public_id, now, case_id=case.id, letter_id=letter.id)
    effects.enqueue(paper, notice)
    if _ends_a_grant(change, old):
        _stop_paying(actor, change, case, letter.number, now)
    _close(actor, change, "issued", now)
    _record(actor, case, "letter_changed", f"{letter.number}{said.zh}{old.number}", now, acting_for_id)
    sent = Text(zh=f"{case.number} 公文變更已發文", en=f"{case.number}: the change of a letter was issued")
    _tell({change.proposed_by_id}, "issued", change, case, sent, f"{letter.number}{said.zh}{old.number}", now)
    return letter


def paid_all_the_same(change: LetterChange, old: Letter) -> Sequence[PayoutList]:
    """The approved or paid lists that a change of the grant comes too late for: somebody must hold or claim back."""
    return lists.committed(old.case_id) if _ends_a_grant(change, old) else ()


def _ends_a_grant(change: LetterChange, old: Letter) -> bool:
    return change.kind in ENDING and old.kind == "grant"


def _stop_paying(actor: Actor, change: LetterChange, case: Case, number: str, now: datetime) -> None:
    verb, today = KINDS[change.kind].verb, taipei_day(now)
    payouts.fall_away(actor, case, f"{verb.zh}：{number}", now, from_the_start=change.kind == "revocation")
    for late in lists.committed(case.id):
        cashiers = {person for person, _for in duties.hands(case.handling_unit_id, "cashier", today)}
        notices.tell_staff(
            {late.created_by_id, late.approved_by_id or 0, *cashiers},
            f"granted_no_more:{late.public_id}:{change.public_id}",
            Text(
                zh=f"{case.number} 的核准已{verb.zh}，款項在第 {late.number} 號清冊上",
                en=f"The grant of {case.number} {verb.in_('en')}; its money is on list {late.number}",
            ),
            Text(
                zh=f"清冊已核定，系統沒有改動。尚未撥款的請暫停撥付這一筆；已撥款的請依行政程序法第127條追繳。依據：{number}",
                en="The list was approved and stays as it is. If it is not paid yet, hold this line; if it is, claim "
                f"the money back (Administrative Procedure Act, article 127). By letter {number}.",
            ),
            now,
            case.id,
        )


def decline(actor: Actor, change: LetterChange, answer: str, now: datetime) -> None:
    _old, case, acting_for_id = _to_decide(actor, change, now)
    if not answer.strip() or len(answer) > LONGEST:
        raise Refused(Text(zh="請寫明不同意的理由。", en="Say why you do not approve it."))
    change.answer = answer.strip()
    _close(actor, change, "declined", now)
    _record(actor, case, "letter_change_declined", answer.strip(), now, acting_for_id)
    sent_back = Text(
        zh=f"{case.number} 公文變更未獲同意", en=f"{case.number}: the change of a letter was refused"
    )
    _tell({change.proposed_by_id}, "declined", change, case, sent_back, answer.strip(), now)


def visible(actor: Actor, public_id: str) -> tuple[LetterChange, Letter, Case]:
    row = db.session.execute(
        select(LetterChange, Letter, Case)
        .join(Letter, Letter.id == LetterChange.letter_id)
        .join(Case, Case.id == Letter.case_id)
        .where(LetterChange.public_id == public_id, visible_to(actor))
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row[0], row[1], row[2]


def waiting_for(actor: Actor) -> list[tuple[LetterChange, Letter, Case]]:
    """What the actor may approve now, the oldest first."""
    if not any(m.function in APPROVERS.values() for m in actor.mandates):
        return []
    rows = db.session.execute(
        select(LetterChange, Letter, Case)
        .join(Letter, Letter.id == LetterChange.letter_id)
        .join(Case, Case.id == Letter.case_id)
        .where(LetterChange.state == "open", visible_to(actor))
        .order_by(LetterChange.id)
    )
    return [(change, old, case) for change, old, case in rows if may_decide(actor, change, case)]


def open_of(letter_id: int) -> LetterChange | None:
    return db.session.scalars(
        select(LetterChange).where(LetterChange.letter_id == letter_id, LetterChange.state == "open")
    ).one_or_none()


def _require_open_to_change(letter: Letter, besides: LetterChange | None = None) -> None:
    ended = db.session.scalars(
        select(Letter.number).where(Letter.changes_id == letter.id, Letter.kind.in_(ENDING))
    ).first()
    if ended:
        raise Refused(
            Text(
                zh=f"這份公文已由{ended}撤銷或廢止。", en=f"This letter was revoked or withdrawn by {ended}."
            )
        )
    pending = open_of(letter.id)
    if pending is not None and pending is not besides:
        who = chart().names.get(pending.proposed_by_id, "")
        raise Conflict(
            Text(
                zh=f"{who}已對這份公文提出變更，正等候決行。",
                en=f"{who} has already proposed a change of it.",
            )
        )


def _to_decide(actor: Actor, change: LetterChange, now: datetime) -> tuple[Letter, Case, int | None]:
    old = db.session.get_one(Letter, change.letter_id)
    case = db.session.get_one(Case, old.case_id)
    _hold(case)
    db.session.refresh(change, with_for_update=True)
    if change.state != "open":
        who = chart().names.get(change.decided_by_id or 0, "")
        raise Conflict(Text(zh=f"這件變更已由{who}決行。", en=f"{who} has decided this change already."))
    mandate = decider(actor, change, case)
    if mandate is None:
        raise Forbidden(
            Text(
                zh="公文的變更須由有權決行的主管核定，而且不能是提出的人，也應自行迴避自己的申請。",
                en="A change is approved by a head who may decide it, who neither proposed it nor is the applicant.",
            )
        )
    return old, case, mandate.acting_for_id


def _mandate_to_propose(actor: Actor, letter: Letter, case: Case) -> Mandate | None:
    if letter.kind == "correction" or letter.kind in PLAIN:
        return None
    return duties.mandate_over(actor, ("officer", "section_head"), case.handling_unit_id)


def decider(actor: Actor, change: LetterChange, case: Case) -> Mandate | None:
    """Nobody approves what they proposed, in person or as a deputy, nor their own case."""
    theirs = {change.proposed_by_id, change.proposed_for_id} - {None} | duties.party_of(case)
    return next(
        (
            m
            for m in actor.mandates
            if m.function == _approver(case)
            and _covers(m, case)
            and theirs.isdisjoint({actor.account_id, m.acting_for_id})
        ),
        None,
    )


def _deciders(change: LetterChange, case: Case, now: datetime) -> set[int]:
    tree, today = chart(), taipei_day(now)
    theirs = {change.proposed_by_id, change.proposed_for_id, case.account_id}
    _unit, seats = tree.holders(case.handling_unit_id, _approver(case), today)
    return {seat.account_id for seat in seats} - theirs


def _tell(
    people: set[int], what: str, change: LetterChange, case: Case, subject: Text, said: str, now: datetime
) -> None:
    key = f"letter_change:{change.public_id}:{what}"
    notices.tell_staff(people, key, subject, Text(zh=said, en=said), now, case.id)


def _approver(case: Case) -> str:
    return APPROVERS[definitions.service(case.service_revision_id).decision_level]


def _covers(mandate: Mandate, case: Case) -> bool:
    return case.handling_unit_id in chart().within(mandate.unit_id)


def _close(actor: Actor, change: LetterChange, state: str, now: datetime) -> None:
    change.state, change.decided_by_id, change.decided_at = state, actor.account_id, now
    db.session.flush()


def _hold(case: Case) -> None:
    db.session.refresh(case, with_for_update={"key_share": True})


def _record(actor: Actor, case: Case, kind: str, said: str, now: datetime, acting_for_id: int | None) -> None:
    payload = {"comment": said}
    events.record(actor, case, kind, now, from_state=case.state, acting_for_id=acting_for_id, payload=payload)
