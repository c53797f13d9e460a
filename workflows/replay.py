"""Recorded cases taken again by the present definitions: without a database, and without waiting."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field, model_validator

from rules.values import DefinitionError, Problem, Text, read_yaml
from workflows import clock, engine
from workflows.calendar import WorkingCalendar
from workflows.clock import Movement
from workflows.model import (
    INSPECTION,
    PAID,
    Actor,
    Frozen,
    Key,
    Outcome,
    Requirement,
    Step,
    WorkflowDefinition,
)
from workflows.reading import build, refused
from workflows.service import ServiceDefinition

FOLDER = Path(__file__).parent / "recordings"


class Act(Frozen):
    """One action, or one movement of the clock by the office, and how the case stood afterwards."""

    #: days since the act before
    after: int = Field(default=0, ge=0, strict=True)
    do: Key | None = None
    by: Actor = "task"
    task: str | None = None
    branch: str = ""
    function: str | None = None
    given: tuple[Requirement, ...] = ()
    #: the form that was filled in, and what guards read of it
    form: str | None = None
    facts: Mapping[str, Any] = {}
    clock: Literal["pause", "resume", "restart", "extend"] | None = None
    days: int | None = None
    state: str
    due: date | None = None
    outcome: Outcome | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Act":
        if (self.do is None) == (self.clock is None):
            raise refused("必須寫明 do 或 clock 其中一項", "Say either do or clock")
        return self


class Recording(Frozen):
    service: str
    filed_on: date
    #: days that differed from the published calendar
    off: tuple[date, ...] = ()
    work: tuple[date, ...] = ()
    #: what guards read of the application; nothing that is personal
    facts: Mapping[str, Any] = {}
    state: str
    due: date | None = None
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first act after which the case stood otherwise; 0 is the filing."""

    act: int
    text: Text

    def __str__(self) -> str:
        return f"acts[{self.act - 1}]: {self.text}" if self.act else str(self.text)


def read_all(root: Path | None = None) -> dict[str, Recording]:
    """The recordings by the names of their files."""
    return {path.stem: read(path) for path in sorted((root or FOLDER).glob("*.yaml"))}


def read(path: Path) -> Recording:
    """The recording, or DefinitionError with all problems."""
    problems: list[Problem] = []
    recording = build(Recording, read_yaml(path), path.stem, problems)
    if recording is None:
        raise DefinitionError(problems)
    return recording


def broken(
    recordings: Mapping[str, Recording],
    workflows: Mapping[str, WorkflowDefinition],
    services: Mapping[str, ServiceDefinition],
) -> Iterator[str]:
    """One line for every recording that the definitions do not reproduce: which one, where, and why."""
    for name, recording in recordings.items():
        service = services.get(recording.service)
        workflow = workflows.get(service.workflow) if service else None
        if service is None or workflow is None:
            yield f"recording/{name} service: 沒有「{recording.service}」這個申辦項目或它的流程"
        elif found := replay(recording, workflow, service):
            yield f"recording/{name} {found}"


def replay(
    recording: Recording, workflow: WorkflowDefinition, service: ServiceDefinition
) -> Difference | None:
    """Where the definitions do otherwise than the case did; None when they do the same."""
    case = _Case.filed(recording, workflow, service)
    if said := case.differs(recording.state, recording.due, None):
        return Difference(0, said)
    for number, act in enumerate(recording.acts, start=1):
        try:
            case.take(act)
        except engine.WorkflowError as error:
            return Difference(number, _at(act, error.text))
        if said := case.differs(act.state, act.due, act.outcome):
            return Difference(number, _at(act, said))
    return None


def _at(act: Act, text: Text) -> Text:
    name = act.do or act.clock
    return Text(zh=f"{name}：{text.zh}", en=f"{name}: {text.in_('en')}")


@dataclass
class _Case:
    """A case in memory: steps are applied as webapp does, with the effects that move the clock."""

    workflow: WorkflowDefinition
    service: ServiceDefinition
    calendar: WorkingCalendar
    filed_on: date
    day: date
    due: date
    facts: dict[str, object]
    state: str = ""
    outcome: str | None = None
    running: bool = True
    tasks: list[engine.OpenTask] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)

    @classmethod
    def filed(cls, recording: Recording, workflow: WorkflowDefinition, service: ServiceDefinition) -> "_Case":
        on = recording.filed_on
        days = WorkingCalendar(off=dict.fromkeys(recording.off, ""), work=dict.fromkeys(recording.work, ""))
        facts = {
            **recording.facts,
            **_of_service(service, recording.facts),
            "case.inspections": 0,
            "case.paid": False,
            "case.actions": (),
        }
        case = cls(workflow, service, days, on, on, on, facts)
        case.count()
        case.apply(engine.start(workflow, facts, service.parameters), "system")
        return case

    def take(self, act: Act) -> None:
        self.day += timedelta(days=act.after)
        if act.do is None:
            self.move(act.clock or "pause", act.days)
            return
        self.facts |= act.facts
        wanted = (act.task, act.branch)
        task = next((t for t in self.tasks if (t.key, t.branch) == wanted and t.state == "open"), None)
        snapshot = engine.Snapshot(self.state, tuple(self.tasks), self.facts, self.service.parameters)
        action = engine.Action(
            name=act.do,
            by=act.by,
            task_id=task.id if task else None,
            functions=frozenset({act.function} if act.function else ()),
            given=frozenset(act.given),
        )
        self.apply(engine.take(self.workflow, snapshot, action), act.by)
        if act.do == PAID:
            self.facts["case.paid"] = True
        self.facts["case.actions"] = (*cast(tuple[str, ...], self.facts["case.actions"]), act.do)
        if act.form == INSPECTION:
            self.facts["case.inspections"] = int(str(self.facts["case.inspections"])) + 1

    def apply(self, step: Step, by: Actor) -> None:
        done = dict(step.finish)
        self.tasks = [replace(t, state="done", outcome=done[t.id]) if t.id in done else t for t in self.tasks]
        if step.moved:
            first = 1 + max((t.id for t in self.tasks), default=0)
            self.tasks = [
                engine.OpenTask(first + i, new.key, new.branch, "open", None, new.function)
                for i, new in enumerate(step.open)
            ]
        self.state, self.outcome = step.to_state, step.outcome
        if step.proposal:
            self.facts["case.proposal"] = step.proposal
        for effect in step.effects:
            self.carry_out(effect, by)

    def carry_out(self, effect: str, by: Actor) -> None:
        pauses = self.service.correction != "none"
        if effect == "pause_clock" and pauses:
            self.move("pause")
        elif effect == "resume_clock" and pauses:
            self.move("restart" if self.service.correction == "restart" and by != "system" else "resume")
        elif effect == "restart_clock":
            self.move("restart")
        elif effect in ("hold_clock", "release_clock"):
            self.move("pause" if effect == "hold_clock" else "resume")
        elif effect == "open_invoice":
            self.facts["case.paid"] = False
        elif effect == "stop_clock":
            self.running = False

    def move(self, kind: Literal["pause", "resume", "restart", "extend"], days: int | None = None) -> None:
        if self.running:
            self.movements.append(Movement(kind=kind, on=self.day, days=days))
            self.count()

    def count(self) -> None:
        limit = self.service.period
        if limit.kind == "HOUR":
            return  # a recording knows days only
        ledger = clock.run(
            limit.kind, limit.period, self.filed_on, self.movements, calendar=self.calendar, today=self.day
        )
        self.due = ledger.due

    def differs(self, state: str, due: date | None, outcome: str | None) -> Text | None:
        for zh, en, then, now in (
            ("狀態", "state", state, self.state),
            ("結果", "outcome", outcome, self.outcome),
            ("到期日", "due date", due or self.due, self.due),
        ):
            if then != now:
                return Text(zh=f"{zh}原來是 {then}，現在是 {now}", en=f"the {en} was {then} and is now {now}")
        return None


def _of_service(service: ServiceDefinition, recorded: Mapping[str, object]) -> dict[str, object]:
    """What guards read of the service, as it is now; level, stages and deemed approval always."""
    said = {
        **service.model_dump(include={"decision_level", "workflow", "owner", "code"}),
        "stages": service.stages,
        "deemed": service.deemed is not None,
        **service.parameters,
    }
    names = {"service.decision_level", "service.stages", "service.deemed", *recorded}
    parts = {name: name.removeprefix("service.") for name in names if name.startswith("service.")}
    return {name: said[part] for name, part in parts.items() if part in said}
