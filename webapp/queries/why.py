"""Every decision that rules made about a case: by which revision, from what, and why each rule held or did not.

All of it is read as it was stored when it was decided; nothing is decided anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, Clock, Escalation, Firing, Revision, Task


@dataclass(frozen=True)
class Source:
    """A parameter that a rule compared with, as the deciding revision has it."""

    label: Text
    value: object
    unit: Text | None
    source: Text
    status: str


@dataclass(frozen=True)
class Verdict:
    """One rule of a ruleset: whether it decided, and why or why not."""

    rule: str
    label: Text
    status: str
    sentence: Text
    #: the tree of its comparisons, each with value, threshold and result; none where it always holds
    when: Mapping[str, Any] | None
    parameters: tuple[Source, ...]
    #: where the rule itself comes from, and how sure that is
    source: Text | None
    origin: str | None

    @property
    def compares_several(self) -> bool:
        """Whether its sentence may leave out a comparison that changed nothing."""
        return self.when is not None and len(list(_leaves(self.when))) > 1


@dataclass(frozen=True)
class Ruling:
    """A decision of a ruleset on a case."""

    key: str
    title: Text
    revision: int
    at: datetime
    #: the unit of the branch whose time was looked at; none for the case itself
    unit_id: int | None
    #: nothing could be decided, so nothing followed
    undecided: bool
    #: what followed; of the ladder only the rungs that were new
    outcomes: tuple[Mapping[str, Any], ...]
    verdicts: tuple[Verdict, ...]

    @property
    def decisive(self) -> tuple[Verdict, ...]:
        rules = {outcome["rule"] for outcome in self.outcomes}
        totals = {each.rule for each in self.verdicts if each.rule.rpartition(".")[0] in rules}
        return tuple(v for v in self.verdicts if v.status == "fired" and v.rule in rules | totals)

    @property
    def others(self) -> tuple[Verdict, ...]:
        decisive = {each.rule for each in self.decisive}
        return tuple(each for each in self.verdicts if each.rule not in decisive)


def rulings(case: Case) -> list[Ruling]:
    """The newest first; each revision is read once. The caller has found the case by `visible`."""
    reached = (
        select(func.array_agg(Escalation.rung))
        .where(Escalation.firing_id == Firing.id)
        .correlate(Firing)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Firing.ruleset_revision_id,
            Firing.at,
            Task.unit_id,
            Firing.engine,
            Firing.outcomes,
            Firing.explanation,
            reached,
        )
        .outerjoin(Clock, Clock.id == Firing.clock_id)
        .outerjoin(Task, Task.id == Clock.task_id)
        .where(Firing.case_id == case.id)
        .order_by(Firing.id.desc())
    )
    firings = rows.all()
    revisions = {
        each.id: each
        for each in db.session.scalars(select(Revision).where(Revision.id.in_({row[0] for row in firings})))
    }
    return [
        Ruling(
            (revision := revisions[revision_id]).key,
            Text.model_validate(revision.mapping["title"]),
            revision.number,
            at,
            unit_id,
            engine == "none",
            tuple(o for o in outcomes if not rungs or o["params"].get("rung") in rungs),
            tuple(verdicts(explanation, revision.mapping)),
        )
        for revision_id, at, unit_id, engine, outcomes, explanation, rungs in firings
    ]


def verdicts(explanation: list[Mapping[str, Any]], body: Mapping[str, Any]) -> Iterator[Verdict]:
    """A stored explanation, with the parameters of the revision that it is of."""
    given = body.get("parameters") or {}
    for entry in explanation:
        leaves = list(_leaves(entry["when"])) if entry["when"] else []
        names = dict.fromkeys(leaf["parameter"] for leaf in leaves if "parameter" in leaf)
        yield Verdict(
            entry["rule"],
            Text(**entry["label"]),
            entry["status"],
            Text(**entry["sentence"]),
            entry["when"],
            tuple(_source(given[name]) for name in names if name in given),
            Text(**entry["source"]) if "source" in entry else None,
            entry.get("origin"),
        )


def _leaves(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "sentence" in node:
        yield node
    for item in node.get("all", node.get("any", ())):
        yield from _leaves(item)


def _source(data: Mapping[str, Any]) -> Source:
    unit = data.get("unit")
    return Source(
        Text.model_validate(data["label"]),
        data["value"],
        Text.model_validate(unit) if unit else None,
        Text.model_validate(data["source"]),
        data["status"],
    )
