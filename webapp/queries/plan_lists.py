"""What stands in the papers of a register for a period, as plain data: what was closed says ever after what it said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from webapp.models import Register
from webapp.periods import Period
from webapp.queries import definitions, plans
from webapp.queries.org import chart
from webapp.queries.plans import Line

#: 億元
HUNDRED_MILLION = Decimal(100_000_000)
RULESET = "progress_lag"
SELECTION = "plan_selection"


@dataclass(frozen=True)
class Listed:
    """One printed row; figures as they are written, names in the words of the day."""

    project_no: int | None
    project: str
    case_no: str
    plan: str
    title: str
    phase: str
    planned: str
    actual: str
    lag: str
    standing: str
    budget: str
    units: tuple[str, ...]
    #: 以公布為準
    published: bool
    note: str
    #: empty in an edition that was closed before lights were printed
    light: str = ""


@dataclass(frozen=True)
class Contents:
    """A register for a period. `edition`: when it was closed; none while it is open."""

    register: str
    period: str
    revision: int
    #: parameters of the rules that decided: severe_lag, behind_lag, ahead_lag, large_budget
    rules: dict[str, str]
    rows: tuple[Listed, ...]
    figures: tuple[dict[str, str], ...]
    closed_at: str = ""

    @property
    def projects(self) -> int:
        return len(
            {
                row.project_no if row.project_no is not None else row.project
                for row in self.rows
                if row.project
            }
        )

    @property
    def severe(self) -> tuple[Listed, ...]:
        return tuple(row for row in self.rows if row.standing == "severe")

    @property
    def severe_by_unit(self) -> list[tuple[str, list[Listed]]]:
        """The leading units in the order of their first row."""
        found: dict[str, list[Listed]] = {}
        for row in self.severe:
            found.setdefault(row.units[0], []).append(row)
        return list(found.items())

    @property
    def large(self) -> tuple[Listed, ...]:
        """Plans of at least the budget from which the county controls them."""
        least = Decimal(self.rules["large_budget"])
        return tuple(row for row in self.rows if row.budget and Decimal(row.budget) >= least)

    @property
    def budget(self) -> Decimal:
        return sum((Decimal(row.budget) for row in self.rows if row.budget), Decimal(0))

    @property
    def plans(self) -> int:
        """As it was published, where not every plan is named here."""
        stated = self.figure("plans")
        return int(stated) if stated is not None else len(self.rows)

    @property
    def severe_rate(self) -> Decimal | None:
        return plans.percent(len(self.severe), self.plans) if self.plans else None

    def figure(self, name: str) -> Decimal | None:
        return next((Decimal(each["value"]) for each in self.figures if each["name"] == name), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "rules": self.rules,
            "figures": list(self.figures),
            "rows": [{**vars(row), "units": list(row.units)} for row in self.rows],
        }


def contents(of: Register, period: Period) -> Contents:
    """As it was closed, else as it stands now."""
    closed = plans.edition(of.id, period.key)
    return as_closed(of, period.key) if closed is not None else current(of, period)


def as_closed(of: Register, period: str) -> Contents:
    held = plans.edition(of.id, period)
    assert held is not None, period
    data = held.data
    return Contents(
        of.key,
        period,
        data["revision"],
        data["rules"],
        tuple(Listed(**{**row, "units": tuple(row["units"])}) for row in data["rows"]),
        tuple(data["figures"]),
        held.closed_at.isoformat(),
    )


def current(of: Register, period: Period) -> Contents:
    """From the reports for the last month of the period."""
    revision = definitions.revision_id("ruleset", RULESET, period.last_day)
    return Contents(
        of.key,
        period.key,
        definitions.name_of(revision)[1],
        rules_of(period),
        tuple(map(_listed, plans.lines(of, period.last_month, page=None, by_number=True))),
        tuple(
            {
                "name": each.name,
                "value": written(each.value),
                "period": each.period,
                "source": each.source,
                "note": each.note,
            }
            for each in plans.published(of.id, period.last_month)
        ),
    )


def rules_of(period: Period) -> dict[str, str]:
    """The parameters that the papers quote, as they are in force for the period."""
    found: dict[str, str] = {}
    for ruleset, names in (
        (RULESET, ("severe_lag", "behind_lag", "ahead_lag")),
        (SELECTION, ("large_budget",)),
    ):
        held = definitions.ruleset(definitions.revision_id("ruleset", ruleset, period.last_day)).ruleset
        found |= {name: written(Decimal(str(held.params[name]))) for name in names}
    return found


def written(value: Decimal | None) -> str:
    """As people write it: without zeros at the end."""
    return "" if value is None else f"{value.normalize() + 0:f}"


def names(units: Sequence[int]) -> tuple[str, ...]:
    return tuple(chart().units[unit].zh for unit in units)


def _listed(line: Line) -> Listed:
    return Listed(
        project_no=line.project_no,
        project=line.project,
        case_no=line.case_no,
        plan=line.plan,
        title=line.title,
        phase=line.phase,
        planned=written(line.planned),
        actual=written(line.actual),
        lag=written(line.lag),
        standing=line.standing or "",
        budget=written(line.budget),
        units=names(line.units),
        published=line.published_class is not None,
        note=line.report_note,
        light=line.light or "none",
    )
