"""The history of a case in words: who did what, when, in whose place, and what they wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select

from forms.model import FormDefinition
from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, CaseEvent, Task
from webapp.moments import taipei_day
from webapp.queries import moves
from webapp.queries.org import UnitInfo, chart
from workflows.model import Transition, WorkflowDefinition

RECALLED = "recalled"
ASSISTED = "assisted"
#: events that no workflow names
LABELS: Mapping[str, Text] = {
    "submitted": Text(zh="送出申請", en="Application sent"),
    "opened": Text(zh="立案", en="Case opened"),
    ASSISTED: Text(zh="協助填寫", en="Helped to fill in"),
    "claimed": Text(zh="受理", en="Accepted"),
    "fee_changed": Text(zh="規費重新計算", en="Fee counted again"),
    "invoice_opened": Text(zh="開立繳費單", en="Invoice issued"),
    "payment_received": Text(zh="收到繳費", en="Payment received"),
    "payment_taken_back": Text(zh="收回收款登錄", en="Payment taken back"),
    "told_by_phone": Text(zh="電話告知申請人", en="Told by telephone"),
    "notice_posted": Text(zh="通知已交寄", en="Notice posted"),
    "sent_by": Text(zh="發文方式", en="Way of sending"),
    "posted": Text(zh="交寄", en="Posted"),
    "not_posted": Text(zh="取消交寄", en="Not posted after all"),
    "served": Text(zh="送達", en="Served"),
    "transit_set": Text(zh="更改收件人所在地", en="Residence of the addressee changed"),
    "letter_change_proposed": Text(zh="擬更正、撤銷或廢止公文", en="Change of a letter proposed"),
    "letter_change_declined": Text(zh="不同意變更公文", en="Change of a letter declined"),
    "letter_changed": Text(zh="更正、撤銷或廢止公文", en="Letter changed"),
    RECALLED: Text(zh="收回", en="Taken back"),
    "refund_proposed": Text(zh="提出退費", en="Refund proposed"),
    "refund_approved": Text(zh="核定退費", en="Refund approved"),
    "refund_refused": Text(zh="不同意退費", en="Refund refused"),
    "refund_paid": Text(zh="已退費", en="Refund paid out"),
    "released": Text(zh="退回待分派", en="Given back to the pool"),
    "slot_held": Text(zh="選定時段", en="Slot chosen"),
    "slot_waited": Text(zh="登記候補", en="Joined the waiting list"),
    "slot_confirmed": Text(zh="確認預約", en="Booking confirmed"),
    "slot_released": Text(zh="取消預約", en="Booking cancelled"),
    "slot_withdrawn": Text(zh="機關關閉時段，取消預約", en="Slot closed by the office"),
    "slot_attended": Text(zh="已到場", en="Attended"),
    "slot_no_show": Text(zh="未到場", en="Did not come"),
    "reassigned": Text(zh="改分", en="Given to somebody else"),
    "head_asked": Text(zh="請主管改分或移轉", en="The head was asked to give it to somebody else"),
    "merged": Text(zh="併案", en="Merged"),
    "merged_in": Text(zh="他案併入", en="Another case merged into this one"),
    "moved": Text(zh="移轉管轄", en="Handed to another unit"),
    "transferred": Text(zh="移送其他機關", en="Transferred to another agency"),
    "opinion_asked": Text(zh="加會", en="Opinion asked"),
    "opinion_given": Text(zh="回復會辦意見", en="Opinion given"),
    "opinion_waived": Text(zh="會辦意見免待", en="Opinion waived"),
    "reminded": Text(zh="催辦", en="Reminder sent"),
    "extension_asked": Text(zh="申請展期", en="Extension asked for"),
    "extension_approved": Text(zh="核准展期", en="Extension approved"),
    "extension_refused": Text(zh="不同意展期", en="Extension refused"),
    "extension_lapsed": Text(zh="展期未及核定，失效", en="Extension not decided in time"),
    "extension_withdrawn": Text(zh="收回展期申請", en="Request for an extension taken back"),
    "date_promised": Text(zh="告知新的預計完成日", en="New expected date told"),
    "limit_passed": Text(zh="辦理期限屆滿", en="Time limit passed"),
    "suspended": Text(zh="期限停止計算", en="Clock stopped"),
    "resumed": Text(zh="期限恢復計算", en="Clock runs again"),
    moves.MOVED: Text(
        zh="改依新版的流程或表單辦理", en="Goes on under a new version of its workflow or form"
    ),
    "sample_checked": Text(zh="抽查", en="Sample check"),
    "certificate_asked": Text(zh="聲請證明書", en="Certificate asked for"),
    "certificate_issued": Text(zh="發給證明書", en="Certificate issued"),
    "file_reviewed": Text(zh="調卷分析意見", en="Opinion on the delay"),
}
#: never an act of the applicant, also where it follows from one
BY_SYSTEM = frozenset(
    {
        "extension_lapsed",
        "fee_changed",
        "invoice_opened",
        "limit_passed",
        "payment_received",
        moves.MOVED,
    }
)
#: of these, what applicants are told too
TOLD = frozenset({"merged", "moved", "transferred", "extension_approved", "date_promised"})
#: by a clerk, for somebody at the counter, on the telephone or by post
TAKEN_IN = Text(zh="代為收件", en="Application taken in")
APPLICANT = Text(zh="申請人", en="Applicant")
HELPER = Text(zh="協助填寫的人", en="Whoever helped")
SYSTEM = Text(zh="系統", en="System")


@dataclass(frozen=True)
class Entry:
    seq: int
    kind: str
    at: datetime
    what: Text
    who: Text
    title: Text | None
    #: the absent colleague for whom the actor stood in
    acted_for: str
    #: of a parallel branch
    unit: UnitInfo | None
    #: the state that the case entered by it, if it moved
    entered: Text | None
    comment: str
    conditions: str
    fields: tuple[Text, ...]
    on_date: date | None
    #: fixed by a proposal to grant, and whether it is an award (None: of an event that does not say)
    amounts: tuple[tuple[Text, str, bool | None], ...]
    #: the total before and after, None while it is fixed during the review
    fee: tuple[str | None, str | None] | None
    #: what changed, for events that no workflow names: from whom to whom, which unit was asked
    note: Text | None


def of_case(case: Case, workflow: WorkflowDefinition, form: FormDefinition) -> list[Entry]:
    """Oldest first. An erased payload leaves its entry without words."""
    rows = db.session.execute(
        select(CaseEvent, Task.branch, Task.unit_id)
        .outerjoin(Task, Task.id == CaseEvent.task_id)
        .where(CaseEvent.case_id == case.id)
        .order_by(CaseEvent.seq)
    ).all()
    then = moves.of_case(case, workflow)
    entries = [_entry(event, branch, unit_id, then, form) for event, branch, unit_id in rows]
    if case.intake and entries:
        entries[0] = replace(entries[0], what=TAKEN_IN)
    return entries


def visited(case: Case, workflow: WorkflowDefinition) -> frozenset[str]:
    """The states that the case was in, the present one included, as they are called now."""
    then = moves.of_case(case, workflow)
    entered = db.session.execute(
        select(CaseEvent.to_state, CaseEvent.seq).where(
            CaseEvent.case_id == case.id, CaseEvent.to_state.is_not(None)
        )
    )
    return frozenset(then.present(state, seq) for state, seq in entered)


def proposal_before(case: Case, workflow: WorkflowDefinition, state: str) -> CaseEvent | None:
    """The proposal on which a decision in this state rests: the one by which the case last entered it.

    What was sent back, or proposed before a correction, is nobody's proposal any more.
    """
    then = moves.of_case(case, workflow)
    for entered in reversed(that_stand(case.id)):
        if entered.kind == moves.MOVED or entered.from_state == entered.to_state:
            continue
        if then.present(entered.to_state or "", entered.seq) != state:
            continue
        origin = entered.from_state
        taken = then.at(entered.seq).state(origin).transition(entered.kind) if origin else None
        if taken is None or not taken.carries:
            return entered if taken is not None and taken.proposes else None
        # it came through other heads: what they had before them is what was proposed
        state = then.present(origin or "", entered.seq)
    return None


def proposes(event: CaseEvent, case: Case, workflow: WorkflowDefinition) -> str | None:
    """grant or reject, for an event that `proposal_before` found."""
    before = moves.of_case(case, workflow).at(event.seq).state(event.from_state or "")
    taken = before.transition(event.kind)
    return taken.proposes if taken is not None else None


def actions(case_id: int) -> tuple[str, ...]:
    """The names of everything that was done to a case so far and not taken back."""
    return tuple(sorted({event.kind for event in that_stand(case_id)}))


def that_stand(case_id: int) -> list[CaseEvent]:
    """The events of a case in their order, without what was recalled.

    A recall takes back the newest thing that somebody did before it; what only the system wrote since stays.
    """
    found: list[CaseEvent] = []
    for event in db.session.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.seq)
    ):
        if event.kind != RECALLED:
            found.append(event)
            continue
        newest = max(i for i, earlier in enumerate(found) if earlier.actor_id is not None)
        del found[newest]
    return found


def proposal_now(case: Case, workflow: WorkflowDefinition, form: FormDefinition) -> Entry | None:
    """What an officer proposed to the decider whose turn it is."""
    event = proposal_before(case, workflow, case.state)
    return None if event is None else next(e for e in of_case(case, workflow, form) if e.seq == event.seq)


def _entry(
    event: CaseEvent,
    branch: str | None,
    unit_id: int | None,
    then: moves.Workflows,
    form: FormDefinition,
) -> Entry:
    tree = chart()
    transition = _transition(event, then.at(event.seq))
    body = event.payload.body if event.payload else {}
    # a move names its new state in the words of the new revision
    entered = then.at(event.seq).states.get(event.to_state or "")
    moved = event.to_state != event.from_state
    who, title = APPLICANT, None
    if event.actor_id in tree.names:
        who = Text(zh=tree.names[event.actor_id])
        title = tree.title(event.actor_id, taipei_day(event.at))
    elif event.actor_kind == "system" or event.kind in BY_SYSTEM:
        who = SYSTEM
    elif event.kind == ASSISTED:
        who = HELPER
    return Entry(
        seq=event.seq,
        kind=event.kind,
        at=event.at,
        what=transition.label if transition else LABELS.get(event.kind, Text(zh=event.kind)),
        who=who,
        title=title,
        acted_for=tree.names.get(event.acting_for_id or 0, ""),
        unit=tree.units[unit_id] if branch and unit_id else None,
        entered=entered.label if moved and entered else None,
        comment=body.get("comment", ""),
        conditions=body.get("conditions", ""),
        fields=tuple(form.field(key).label for key in body.get("fields", ()) if key in form),
        on_date=date.fromisoformat(body["date"]) if body.get("date") else None,
        amounts=tuple(
            (Text(zh=line["zh"], en=line["en"]), line["amount"], line.get("award"))
            for line in body.get("amounts", ())
        ),
        fee=(body["fee"]["before"], body["fee"]["after"]) if "fee" in body else None,
        note=Text(**body["note"]) if "note" in body else None,
    )


def _transition(event: CaseEvent, workflow: WorkflowDefinition) -> Transition | None:
    if event.from_state is None or event.kind in LABELS:
        return None
    return workflow.state(event.from_state).transition(event.kind)
