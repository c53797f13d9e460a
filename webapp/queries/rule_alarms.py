"""Trouble with rules, as it was kept: which ruleset, from which facts, and what engine and reference said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from rules.facts import FACTS
from rules.values import Text
from webapp.extensions import db
from webapp.models import Revision, RuleAlarm

MOST_LISTED = 200


@dataclass(frozen=True)
class Alarm:
    title: Text
    revision: int
    kind: str
    at: datetime
    text: Text
    facts: tuple[tuple[Text, Any], ...]
    #: rules by their labels; None: it gave no answer, or was not asked
    engine_said: tuple[Text, ...] | None
    reference_said: tuple[Text, ...] | None


def newest() -> list[Alarm]:
    rows = db.session.execute(
        select(RuleAlarm, Revision.body, Revision.number)
        .join(Revision, Revision.id == RuleAlarm.ruleset_revision_id)
        .order_by(RuleAlarm.id.desc())
        .limit(MOST_LISTED)
    )
    return [_alarm(alarm, body, number) for alarm, body, number in rows]


def _alarm(alarm: RuleAlarm, body: Mapping[str, Any], number: int) -> Alarm:
    labels = _labels(body)
    return Alarm(
        Text.model_validate(body["title"]),
        number,
        alarm.kind,
        alarm.at,
        Text(**alarm.text),
        tuple((FACTS[name].label if name in FACTS else Text(zh=name), v) for name, v in alarm.facts.items()),
        _named(alarm.engine_said, labels),
        _named(alarm.reference_said, labels),
    )


def _named(keys: Sequence[str] | None, labels: Mapping[str, Text]) -> tuple[Text, ...] | None:
    return None if keys is None else tuple(labels.get(key, Text(zh=key)) for key in keys)


def _labels(body: Mapping[str, Any]) -> dict[str, Text]:
    """Rules by their keys; a row by its own label, else by its key."""
    found = {rule["key"]: Text.model_validate(rule["label"]) for rule in body.get("rules") or ()}
    for table in body.get("tables") or ():
        for number, row in enumerate(table["rows"], start=1):
            if "label" in row:
                found[f"{table['key']}.{number}"] = Text.model_validate(row["label"])
    return found
