"""Tiny form definitions, one a feature, and a short way to fill them in."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings

from forms import answers, loader
from forms.answers import Cleaned
from forms.model import FormDefinition
from rules.values import read_yaml

FIXTURES = Path(__file__).parent / "definitions" / "forms"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.yaml"))
TODAY = date(2026, 11, 22)
#: a busy machine is no mistake
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def form_named(name: str) -> FormDefinition:
    return loader.load(read_yaml(FIXTURES / f"{name}.yaml"), facts={"case.channel": "text"})


@cache
def factory_form(key: str) -> FormDefinition:
    return loader.load(loader.read_all()[key])


def listed(raw: Mapping[str, object]) -> dict[str, list[str]]:
    """{"name": "x"} as form data."""
    return {name: value if isinstance(value, list) else [str(value)] for name, value in raw.items()}


def fill(form: str | FormDefinition, raw: Mapping[str, object], **options: Any) -> Cleaned:
    definition = form_named(form) if isinstance(form, str) else form
    return answers.clean(definition, listed(raw), today=TODAY, **options)


def answer(form: str, key: str, raw: Mapping[str, object] | str) -> object:
    """What is taken as the answer to one field; a refusal fails the test with its message."""
    cleaned = fill(form, raw if isinstance(raw, Mapping) else {key: raw}, keys=(key,))
    assert not cleaned.errors, cleaned.errors
    return cleaned.answers.get(key)


def complaint(form: str, key: str, raw: Mapping[str, object] | str, lang: str = "zh") -> str:
    """What is said about one field; it must be refused."""
    cleaned = fill(form, raw if isinstance(raw, Mapping) else {key: raw}, keys=(key,), lang=lang)
    assert key not in cleaned.answers, cleaned.answers[key]
    return "\n".join(cleaned.errors[key])
