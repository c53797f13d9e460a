"""A workflow definition: states, the tasks they open, and the transitions between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation, model_validator

from rules.conditions import Condition, holds, leaves_of
from rules.values import MAX_PERIOD, Text
from workflows.counting import ClockKind
from workflows.reading import refused

#: What a transition may cause; webapp carries it out. A letter that is issued is announced by itself; other
#: messages are `notify_applicant:<notice>`.
EFFECTS = frozenset(
    {
        "pause_clock",
        "resume_clock",
        "stop_clock",
        "restart_clock",
        "hold_clock",
        "release_clock",
        "open_correction",
        "close_correction",
        "issue_decision",
        "issue_rejection",
        "issue_return",
        "hold_slot",
        "confirm_slot",
        "move_slot",
        "release_slot",
        "slot_attended",
        "slot_missed",
        "open_invoice",
        "cancel_invoice",
        "put_on_agenda",
        "join_payment_list",
        # of the monthly report of a plan
        "keep_progress",
        "check_progress",
        "unlock_progress",
        # of the year-end evaluation of a plan
        "keep_self_evaluation",
        "keep_grade",
        "reopen_grade",
        # of the verification of a plan, and of what a meeting resolved
        "keep_verification",
        "visit_instead",
        "keep_improvements",
        "accept_improvements",
        "continue_improvements",
        "close_verification",
        "keep_resolution",
        "release_resolution",
        "continue_resolution",
        # of what a unit asks of a plan: another curve, or its release
        "propose_change",
        "apply_change",
        "propose_release",
        "apply_release",
        "ask_approver",
        "end_request",
        # of the proposal of a plan
        "keep_proposal",
        "proposal_kept",
        "proposal_amended",
        "proposal_dropped",
        "proposal_reopened",
        "enter_plan",
        # of the report on a journey abroad
        "keep_travel_report",
        "publish_travel_report",
        "cancel_journey",
        "reopen_travel_report",
    }
)
NOTICE_EFFECT = "notify_applicant:"
NOTICES = frozenset(
    {
        "correction",
        "correction_lapsed",
        "corrected",
        "inspection_scheduled",
        "improvement",
        "withdrawn",
        # of revisions by which cases still run
        "payment_requested",
        "appointment",
        "interim",
    }
)

#: effects that issue the decision of a case; there is one
DECIDES = frozenset({"issue_decision", "issue_rejection", "issue_return"})
#: the one action that no state may count as its way forward
WITHDRAW = "withdraw"
#: the system's own action when an invoice is covered
PAID = "paid"
#: the form of a visit: guards ask how many there were, letters quote the last
INSPECTION = "inspection_record"

Actor = Literal["task", "citizen", "system"]
Requirement = Literal["comment", "fields", "form", "date"]
#: recorded and missing end what is internal, without a letter
Outcome = Literal["granted", "rejected", "returned", "withdrawn", "recorded", "missing"]
Proposal = Literal["grant", "reject"]
Guard = Annotated[Condition | None, SkipValidation]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


def _join(data: object) -> object:
    """all, any, or {quorum: n}."""
    quorum = data.get("quorum") if isinstance(data, Mapping) and len(data) == 1 else None
    if data not in ("all", "any") and (type(quorum) is not int or quorum < 1):
        raise refused(
            "會合方式必須是 all、any 或 {quorum: 至少 1 的整數}",
            "A join must be all, any or {quorum: a whole number from 1}",
        )
    return quorum or data


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Period(Frozen):
    """A time limit: so many working days, calendar days, months or hours."""

    kind: ClockKind
    period: int = Field(ge=1, le=MAX_PERIOD, strict=True)


class TaskTemplate(Frozen):
    """A task that opens when its state is entered; with `each`, one for every unit of a list of the service."""

    key: Key
    label: Text
    function: str
    #: handling, owner, township (that of the applicant), county (the service's `county_unit`) or a unit code
    unit: str = "handling"
    #: the service parameter that lists the units of the branches
    each: str | None = None
    #: how many branches must be finished before the state is joined
    join: Annotated[Literal["all", "any"] | int, BeforeValidator(_join)] = "all"
    period: Period | None = None
    form: str | None = None
    #: until the case is closed only those who hold the function read what its form says
    sealed: bool = False
    #: what whoever holds the function is called where the workflow runs; by the function when not said
    holder: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _each(cls, data: object) -> object:
        """`unit: {each: service.co_review_units}`: one branch for every unit of that list."""
        unit = data.get("unit") if isinstance(data, Mapping) else None
        if not isinstance(data, Mapping) or not isinstance(unit, Mapping) or set(unit) != {"each"}:
            return data
        rest = {key: value for key, value in data.items() if key != "unit"}
        return {**rest, "each": str(unit["each"]).removeprefix("service.")}

    def needed(self, branches: int) -> int:
        """How many of the branches must be finished."""
        if isinstance(self.join, int):
            return self.join
        return branches if self.join == "all" else min(1, branches)


class Transition(Frozen):
    """An action in a state. Guards are OR inside `functions` and AND across kinds."""

    name: Key
    label: Text
    by: Actor
    to: str | None = None
    #: whose action it is, when a state has several tasks
    task: str | None = None
    #: who may act; the function of the task when nothing is said
    functions: tuple[str, ...] = ()
    when: Guard = None
    #: told when `when` does not hold
    refusal: Text | None = None
    requires: tuple[Requirement, ...] = ()
    style: Literal["primary", "secondary", "warning"] = "secondary"
    effects: tuple[str, ...] = ()
    confirm: Text | None = None
    #: finishes the actor's branch only; the state moves by its `joined`
    completes: Literal["task"] | None = None
    #: the fact that says how the task ended; the name of the transition when nothing is said
    outcome_from: str | None = None
    proposes: Proposal | None = None
    #: 核稿: the proposal stays before the heads, and its proposer stays its proposer
    carries: bool = Field(default=False, strict=True)


class Joined(Frozen):
    """Where a state goes when its parallel tasks are finished; the first that holds."""

    to: str
    when: Guard = None
    effects: tuple[str, ...] = ()


class CitizenLabel(Frozen):
    """Other words for the applicant, while a condition holds."""

    label: Text
    when: Annotated[Condition, SkipValidation]


class State(Frozen):
    key: Key
    label: Text
    #: in plain words, for the applicant
    citizen_label: Text
    #: said in its place; the first that holds
    citizen_labels: tuple[CitizenLabel, ...] = ()
    kind: Literal["active", "correction", "closed"]
    outcome: Outcome | None = None
    tasks: tuple[TaskTemplate, ...] = ()
    transitions: Mapping[str, Transition] = {}
    joined: tuple[Joined, ...] = ()
    #: the decision has been issued: it is handed over or served here, and nothing is decided or withdrawn any more
    decided: bool = Field(default=False, strict=True)

    def told(self, facts: Mapping[str, object]) -> Text:
        """What the applicant reads of it. Words that depend on a fact that is not given are left out."""
        for other in self.citizen_labels:
            if all(leaf.fact in facts for leaf in leaves_of(other.when)) and holds(other.when, facts):
                return other.label
        return self.citizen_label

    def task(self, key: str) -> TaskTemplate | None:
        return next((task for task in self.tasks if task.key == key), None)

    def transition(self, name: str) -> Transition | None:
        return self.transitions.get(name)

    @property
    def parallel(self) -> tuple[TaskTemplate, ...]:
        """The tasks whose branches are waited for."""
        keys = {transition.task for transition in self.transitions.values() if transition.completes}
        return tuple(task for task in self.tasks if task.key in keys)


class WorkflowDefinition(Frozen):
    key: Key
    #: P: an approval pattern of the catalogue; M: plan control (管考) and other internal work
    code: str = Field(pattern=r"^[PM][0-9]{2}$")
    title: Text
    initial: str
    #: defaults that a service may change
    parameters: Mapping[str, Any] = {}
    #: what a service's parameter `stages` may switch on, each with the actions one of which completes it
    stages: Mapping[Key, tuple[str, ...]] = {}
    states: Mapping[str, State]

    def state(self, key: str) -> State:
        return self.states[key]


# --- what the engine says must be written ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewTask:
    key: str
    #: the unit code of a parallel branch, else empty
    branch: str
    function: str
    #: handling, owner, township or a unit code
    unit: str
    period: Period | None
    label: Text
    form: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What must be written so that an action has happened."""

    transition: str
    from_state: str | None
    to_state: str
    #: whether a state was entered, also the same one again
    moved: bool
    #: (task id, outcome) of the task that the action finishes
    finish: tuple[tuple[int, str], ...]
    cancel: tuple[int, ...]
    open: tuple[NewTask, ...]
    effects: tuple[str, ...]
    proposal: str | None
    #: whether an earlier proposal stays before the heads
    carried: bool
    closed: bool
    outcome: str | None
