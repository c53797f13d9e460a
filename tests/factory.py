"""Definition files as the product ships them, read once a run. Who asks for one gets a copy and may change it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

import rules.loader
import workflows.loader
import workflows.service


def service(code: str) -> dict[str, Any]:
    return copy.deepcopy(dict(_services()[code]))


def workflow(key: str) -> dict[str, Any]:
    return copy.deepcopy(dict(_workflows()[key]))


def ruleset(key: str) -> dict[str, Any]:
    return copy.deepcopy(dict(_rulesets()[key]))


@cache
def _services() -> Mapping[str, Mapping[str, Any]]:
    return workflows.service.read_all()


@cache
def _workflows() -> Mapping[str, Mapping[str, Any]]:
    return workflows.loader.read_all()


@cache
def _rulesets() -> Mapping[str, Mapping[str, Any]]:
    return rules.loader.read_all()
