"""A draft tried: its mistakes, its examples, and what it would decide otherwise of the past and of what is open.

It decides by the reference evaluator, so that no draft meets the native engine of a web server. Nothing is acted on.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import rules.engine
import rules.loader
from rules.actions import ACTIONS, ActionParam
from rules.decision import NotUnique, Outcome
from rules.engine import Compiled
from rules.places import place
from rules.shown import Words, show
from rules.testing import otherwise
from rules.values import DefinitionError, Text
from webapp.models import Revision
from webapp.permissions import Actor
from webapp.queries import definitions, desk, snapshots
from webapp.queries.org import chart
from webapp.queries.snapshots import Subject
from workflows.functions import FUNCTIONS

#: how many changed cases are named; how many there are is always said
MOST_NAMED = 100
#: a statement of a trial, and then its deciding, takes so long at most
SECONDS = 5.0
#: so many different facts, open cases, and newest decisions of a sample are read at most
MOST_GROUPS = 10_000
MOST_OPEN = 20_000
NEWEST = 2_000
NOTHING = Text(zh="沒有結果", en="nothing")

Said = tuple[Text, ...]


@dataclass(frozen=True)
class Found:
    """A mistake of the draft, where it is in words, and the path by which an editor finds it."""

    where: Text
    message: Text
    path: str


@dataclass(frozen=True)
class Tested:
    """An example that was tried."""

    name: str
    facts: Said
    expected: Said
    actual: Said
    passed: bool


@dataclass(frozen=True)
class Checked:
    problems: tuple[Found, ...]
    tests: tuple[Tested, ...]
    #: None while there are mistakes
    decider: Decider | None

    @property
    def failed(self) -> int:
        return sum(not test.passed for test in self.tests)

    @property
    def ready(self) -> bool:
        return not self.problems and not self.failed


class Decider:
    """A ruleset that answers in words."""

    def __init__(self, compiled: Compiled, body: Mapping[str, Any], names: Mapping[str, Text]) -> None:
        self.compiled = compiled
        self._words = Words(body, names)

    @classmethod
    def by_reference(cls, body: Mapping[str, Any], names: Mapping[str, Text]) -> Decider:
        ruleset = rules.loader.load(body, functions=FUNCTIONS, units=chart().codes)
        compiled = rules.engine.compile(ruleset)
        compiled.close()
        return cls(compiled, body, names)

    def outcomes(self, facts: Mapping[str, object]) -> tuple[Outcome, ...] | NotUnique:
        try:
            return self.compiled.evaluate(facts).outcomes
        except NotUnique as refused:
            return refused

    def called(self, name: str) -> Text:
        """What a rule gave a name, such as a rung, by the name of the rule."""
        return self._words.called.get(name) or Text(zh=name)

    def said(self, outcomes: tuple[Outcome, ...] | NotUnique) -> Said:
        if isinstance(outcomes, NotUnique):
            return (outcomes.text,)
        return tuple(self._words.action({"action": each.action, **each.params}) for each in outcomes) or (
            NOTHING,
        )

    def value(self, outcomes: tuple[Outcome, ...] | NotUnique, column: tuple[str, str]) -> Text:
        """What one parameter of one action comes to."""
        if isinstance(outcomes, NotUnique):
            return Text(zh="無法判斷", en="undecided")
        action, param = column
        found = [
            self._words.of(param, each.params[param], self._words.param(action, param))
            for each in outcomes
            if each.action == action and param in each.params
        ]
        if not found:
            return NOTHING
        return Text(zh="、".join(t.zh for t in found), en=", ".join(t.in_("en") for t in found))


def in_force(revision: Revision) -> Decider | None:
    """What is published, as it decides now; None where it cannot be read, so there is nothing to compare with."""
    found = definitions.decider(revision.key, revision.id)
    return Decider(found, revision.mapping, desk.names()) if isinstance(found, Compiled) else None


def check(body: Mapping[str, Any], key: str) -> Checked:
    """Fast enough for every look at a draft; before a submission it is tried in a process of its own too."""
    names = desk.names()
    problems = (
        [Found(Text(zh="代碼", en="key"), desk.other_key(key), "key")] if body.get("key") != key else []
    )
    try:
        decider = Decider.by_reference(body, names)
    except DefinitionError as error:
        problems += [Found(place(each.path, body), each.message, each.path) for each in error.problems]
        return Checked(tuple(problems), (), None)
    tests = []
    for example, shown in zip(decider.compiled.ruleset.examples, show(body, names).examples, strict=True):
        try:
            decision = decider.compiled.evaluate(example.facts)
        except NotUnique as refused:
            actual, passed = decider.said(refused), False
        else:
            actual, passed = decider.said(decision.outcomes), not otherwise(example, decision)
        tests.append(Tested(shown.name, shown.facts, shown.expect or (NOTHING,), actual, passed))
    return Checked(tuple(problems), tuple(tests), decider)


@dataclass(frozen=True)
class Changed:
    """A decision that would come out otherwise."""

    subject: Subject
    before: Said
    after: Said


@dataclass(frozen=True)
class Matrix:
    """How often what became what, of the one output that tells most."""

    label: Text
    values: tuple[Text, ...]
    counts: Mapping[tuple[Text, Text], int]


def _param(column: tuple[str, str]) -> ActionParam:
    return next(param for param in ACTIONS[column[0]].params if param.name == column[1])


@dataclass
class Trial:
    """What was decided by both."""

    #: how many decisions there are, and how many of them there was time for
    of: int = 0
    looked_at: int = 0
    changes: int = 0
    changed: list[Changed] = field(default_factory=list)
    #: only the newest so many were taken
    newest: int | None = None
    #: there were more than could be read
    cut: bool = False
    #: what is read and was not kept, so taken as missing
    not_kept: tuple[str, ...] = ()
    _columns: dict[tuple[str, str], Counter[tuple[Text, Text]]] = field(
        default_factory=lambda: defaultdict(Counter)
    )

    @property
    def complete(self) -> bool:
        return self.looked_at == self.of and not self.cut

    @property
    def matrix(self) -> Matrix | None:
        """Of the output in which most decisions change, then of one that has levels, such as the light."""
        if not self._columns:
            return None
        places = {
            (action.name, param.name): n
            for n, (action, param) in enumerate((a, p) for a in ACTIONS.values() for p in a.params)
        }

        def order(
            item: tuple[tuple[str, str], Counter[tuple[Text, Text]]],
        ) -> tuple[int, bool, bool, int, int]:
            column, counts = item
            changed = sum(times for (before, after), times in counts.items() if before != after)
            values = {value for pair in counts for value in pair}
            levels = column in places and _param(column).type == "choice"
            return -changed, values == {NOTHING}, not levels, len(values), places.get(column, 0)

        column, counts = min(self._columns.items(), key=order)
        param = _param(column) if column in places else None
        ranks = {label.zh: n for n, label in enumerate(param.choices.values())} if param else {}
        values = {value: (ranks.get(value.zh, 99), value.zh) for pair in counts for value in pair}
        ordered = sorted(values, key=lambda value: values[value])
        return Matrix(param.label if param else Text(zh=column[1]), tuple(ordered), dict(counts))

    def count(
        self,
        current: Decider,
        draft: Decider,
        facts: Mapping[str, object],
        times: int,
        columns: Iterable[tuple[str, str]],
    ) -> tuple[Said, Said] | None:
        """What it was and what it would be, where that differs."""
        before, after = current.outcomes(facts), draft.outcomes(facts)
        self.looked_at += times
        for column in columns:
            self._columns[column][current.value(before, column), draft.value(after, column)] += times
        was, will = current.said(before), draft.said(after)
        if was == will:
            return None
        self.changes += times
        return was, will

    def add(
        self,
        current: Decider,
        draft: Decider,
        facts: Mapping[str, object],
        subject: Subject,
        columns: Iterable[tuple[str, str]],
    ) -> None:
        """One decision of which it is known whom it was for."""
        said = self.count(current, draft, facts, 1, columns)
        if said and len(self.changed) < MOST_NAMED:
            self.changed.append(Changed(subject, *said))


def over_past(
    actor: Actor,
    current: Decider,
    draft: Decider,
    since: date,
    until: date,
    seconds: float = SECONDS,
    *,
    newest: int | None = None,
) -> Trial:
    """Decisions of the period for cases that an editor of rules reads of; equal facts are decided once.

    All of them, or the newest so many: those too where there is no time to read all.
    """
    period = (actor, current.compiled.ruleset.key, since, until)
    try:
        with snapshots.in_time(seconds):
            trial = _over(snapshots.Past(*period, newest), current, draft, seconds, newest)
    except snapshots.TooSlow:
        trial = _over(snapshots.Past(*period, NEWEST), current, draft, seconds, NEWEST)
    return _linked(actor, trial)


def _over(
    past: snapshots.Past, current: Decider, draft: Decider, seconds: float, newest: int | None
) -> Trial:
    of, groups = past.groups(MOST_GROUPS)
    end = time.monotonic() + seconds
    trial = Trial(of=of, not_kept=_not_kept(current, draft))
    trial.newest = newest if of == newest else None
    columns = _columns(current, draft)
    changed: list[tuple[snapshots.Group, Said, Said]] = []
    for group in groups:
        said = trial.count(current, draft, group.facts, group.times, columns)
        if said and len(changed) < MOST_NAMED:
            changed.append((group, *said))
        if time.monotonic() > end:
            break
    named = past.subjects([group for group, _, _ in changed], MOST_NAMED) if changed else {}
    every = [Changed(of, was, will) for group, was, will in changed for of in named[group.first]]
    trial.changed = every[:MOST_NAMED]
    return trial


def over_table(
    current: Decider,
    draft: Decider,
    rows: Iterable[tuple[str, Mapping[str, object]]],
    seconds: float = SECONDS,
) -> Trial:
    """Facts that somebody brought."""
    end = time.monotonic() + seconds
    given = list(rows)
    trial = Trial(of=len(given))
    columns = _columns(current, draft)
    for name, facts in given:
        trial.add(current, draft, facts, Subject(name, "", None), columns)
        if time.monotonic() > end:
            break
    return trial


def over_open(actor: Actor, current: Decider, draft: Decider, seconds: float = SECONDS) -> Trial:
    """Open cases and plans under control, by the facts of their last decision."""
    end = time.monotonic() + seconds
    trial = Trial(not_kept=_not_kept(current, draft))
    try:
        with snapshots.in_time(seconds):
            latest = snapshots.latest(actor, current.compiled.ruleset.key, MOST_OPEN)
    except snapshots.TooSlow:
        trial.cut = True
        return trial
    trial.of, trial.cut = len(latest), len(latest) == MOST_OPEN
    for subject, facts in latest:
        trial.add(current, draft, facts, subject, ())
        if time.monotonic() > end:
            break
    return _linked(actor, trial)


def _linked(actor: Actor, trial: Trial) -> Trial:
    """A case is linked only where its page may be opened."""
    subjects = [each.subject for each in trial.changed]
    pages = snapshots.pages(actor, [each.public_id for each in subjects if each.kind == "case"])
    trial.changed = [
        each
        if each.subject.kind == "plan" or each.subject.public_id in pages
        else replace(each, subject=replace(each.subject, public_id=""))
        for each in trial.changed
    ]
    return trial


def _not_kept(current: Decider, draft: Decider) -> tuple[str, ...]:
    ruleset = draft.compiled.ruleset
    return tuple(sorted(ruleset.used - current.compiled.ruleset.used))


def _columns(current: Decider, draft: Decider) -> list[tuple[str, str]]:
    """The parameters of all that the two can ask for."""
    return list(
        dict.fromkeys(
            (outcome.action, param)
            for each in (current, draft)
            for rule in each.compiled.ruleset.rules
            for outcome in rule.then
            for param in outcome.params
        )
    )
