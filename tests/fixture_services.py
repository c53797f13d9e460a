"""Services of two units on a fixture workflow, published beside those of the product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import forms.loader
from rules.values import read_yaml
from tests import factory
from tests.journeys import NOW
from webapp.demo.samples import SAMPLES
from webapp.extensions import db
from webapp.models import Revision
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM
from webapp.queries import definitions
from webapp.services import publishing
from webapp.uow import unit_of_work

FIXTURES = Path(__file__).parent / "definitions" / "workflows"
#: code of the fixture service: its owner and its handling unit, with the officer of each
UNITS = {"EC91": ("EC", "動植物防疫所"), "PW91": ("PW", "養護工程所")}


def publish(workflow: str, patch: pytest.MonkeyPatch) -> None:
    """The pet subsidy's form and letters, on the fixture workflow, for both units."""
    body = read_yaml(FIXTURES / f"{workflow}.yaml")
    pattern = factory.service("EC09")
    with unit_of_work():
        _put("workflow", body["key"], body)
        for code, (owner, unit) in UNITS.items():
            patch.setitem(SAMPLES, code, SAMPLES["EC09"])
            changed = {
                "code": code,
                "owner": owner,
                "workflow": body["key"],
                "handling_unit": {"zh": unit, "en": unit},
            }
            _put("service", code, {**pattern, **changed})


def publish_form(code: str, section: dict[str, Any], **changed: Any) -> None:
    """Another form for a fixture service: the applicant, one section of one's own, the declaration."""
    body = {
        "key": f"fixture_{code.lower()}",
        "title": {"zh": "測試表單", "en": "A form"},
        "sections": [{"include": "applicant"}, section, {"include": "declaration"}],
    }
    with unit_of_work():
        _put("form", body["key"], forms.loader.expand(body))
        service = definitions.current_service(code, taipei_day(NOW))
        kept = db.session.get_one(Revision, definitions.revision_id("service", service.code, taipei_day(NOW)))
        _put("service", code, {**kept.mapping, "form": body["key"], **changed})


def _put(kind: str, key: str, body: dict[str, Any]) -> None:
    definitions.parse(kind, body)
    revision = publishing.insert(SYSTEM, kind, key, body, NOW, origin="editor")
    publishing.publish(SYSTEM, revision, publishing.BEGINNING, NOW)
