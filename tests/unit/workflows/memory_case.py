"""A case that lives in memory: applies steps as webapp does, so that engine tests read like a story."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from workflows import engine
from workflows.engine import Action, OpenTask, Snapshot
from workflows.functions import FUNCTIONS
from workflows.model import PAID, Step, Transition, WorkflowDefinition

EVERYTHING = frozenset({"comment", "fields", "form", "date"})
#: what effects make of the facts of the case
MAKES: Mapping[str, tuple[str, object]] = {
    "open_invoice": ("case.paid", False),
    "hold_slot": ("case.booking", "held"),
    "confirm_slot": ("case.booking", "confirmed"),
    "move_slot": ("case.booking", "confirmed"),
    "release_slot": ("case.booking", None),
    "slot_attended": ("case.booking", None),
    "slot_missed": ("case.booking", None),
}


@dataclass
class Case:
    definition: WorkflowDefinition
    params: Mapping[str, object] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    tasks: list[OpenTask] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    state: str = ""

    def __post_init__(self) -> None:
        stages = self.params.get("stages", [])
        usual = {
            "case.inspections": 0,
            "case.paid": False,
            "case.booking": None,
            "service.decision_level": 3,
            "service.stages": stages,
            "service.deemed": False,
        }
        self.facts = {**usual, **self.facts, "case.actions": []}
        self.apply(engine.start(self.definition, self.facts, self.params))

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.state, tuple(self.tasks), self.facts, self.params)

    @property
    def open(self) -> list[OpenTask]:
        return [task for task in self.tasks if task.state == "open"]

    def apply(self, step: Step) -> None:
        self.steps.append(step)
        self.facts["case.actions"] = [taken.transition for taken in self.steps]
        done = dict(step.finish)
        cancelled = set(step.cancel)
        self.tasks = [
            replace(t, state="done", outcome=done[t.id])
            if t.id in done
            else replace(t, state="cancelled")
            if t.id in cancelled
            else t
            for t in self.tasks
        ]
        if step.moved:
            first = 1 + sum(len(s.open) for s in self.steps[:-1])
            self.tasks = [
                OpenTask(first + i, new.key, new.branch, "open", None, new.function)
                for i, new in enumerate(step.open)
            ]
        self.state = step.to_state
        self.facts |= dict(MAKES[effect] for effect in step.effects if effect in MAKES)
        if step.transition == PAID:
            self.facts["case.paid"] = True
        if step.proposal:
            self.facts["case.proposal"] = step.proposal
        if step.from_state == "inspect" and step.transition not in ("reschedule", "withdraw"):
            self.facts["case.inspections"] = int(str(self.facts["case.inspections"])) + 1

    def do(
        self,
        name: str,
        *,
        branch: str = "",
        functions: Iterable[str] = FUNCTIONS,
        given: Iterable[str] = EVERYTHING,
        task_id: int | None = None,
        **form: object,
    ) -> Step:
        """An action by whoever holds the (first fitting) open task, the citizen or the system."""
        transition = self.definition.states[self.state].transitions.get(name)
        by = transition.by if transition else "task"
        if by == "task" and task_id is None:
            wanted = [t for t in self.open if transition and t.key == transition.task and t.branch == branch]
            task_id = wanted[0].id if wanted else None
        self.facts |= {f"task.{key}": value for key, value in form.items()}
        action = Action(name, by, task_id, frozenset(functions), frozenset(given))
        self.apply(engine.take(self.definition, self.snapshot, action))
        return self.last

    def offered(self, by: str, functions: Iterable[str] = FUNCTIONS) -> dict[str, Transition]:
        found = engine.allowed(self.definition, self.snapshot, by, frozenset(functions))
        return {transition.name: transition for transition in found}
