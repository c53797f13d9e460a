"""Under which revision of its workflow a case was when: its history is told in the words of that time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Case, CaseMove, Revision
from webapp.queries import definitions
from workflows.model import WorkflowDefinition

#: the event by which a case goes on under another revision
MOVED = "moved_to_revision"


@dataclass(frozen=True)
class Workflows:
    now: WorkflowDefinition
    #: (sequence number of the event, the workflow before it, old state -> new state), oldest first
    moves: Sequence[tuple[int, WorkflowDefinition, Mapping[str, str]]] = ()

    def at(self, seq: int) -> WorkflowDefinition:
        """The workflow by which the event with this number happened."""
        return next((before for moved, before, _ in self.moves if seq < moved), self.now)

    def present(self, state: str, seq: int) -> str:
        """What the state that an event names is called now."""
        for moved, _, states in self.moves:
            if seq < moved:
                state = states.get(state, state)
        return state


def of_case(case: Case, workflow: WorkflowDefinition) -> Workflows:
    """`workflow` is the one that the case is pinned to now."""
    rows = db.session.execute(
        select(CaseMove.seq, CaseMove.from_revision_id, CaseMove.states)
        .join(Revision, Revision.id == CaseMove.from_revision_id)
        .where(CaseMove.case_id == case.id, Revision.kind == "workflow")
        .order_by(CaseMove.seq)
    )
    return Workflows(
        workflow,
        [(seq, definitions.worded(before, case.service_revision_id), states) for seq, before, states in rows],
    )
