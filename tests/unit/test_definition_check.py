"""`ecounter definitions check`: a mistake is named where it is, and brings no others behind it."""

from __future__ import annotations

import copy

import pytest

from webapp import definition_check
from webapp.services import publishing


@pytest.fixture
def read(monkeypatch):
    """The files as they would be read, to be spoilt."""
    found = {kind: copy.deepcopy(dict(reader())) for kind, reader in publishing.READERS.items()}
    monkeypatch.setattr(
        definition_check, "READERS", {kind: (lambda files=files: files) for kind, files in found.items()}
    )
    return found


def test_units_that_are_unknown_or_stand_twice_are_named_with_their_path(read):
    read["service"]["PW01"]["parameters"]["co_review_units"] = ["PO", "ZZ", "PO"]
    problems = definition_check.check_all().problems
    assert "service/PW01 parameters.co_review_units[2]: 單位「PO」重複，只能會辦一次" in problems
    assert any(p.startswith("service/PW01 parameters.co_review_units[1]: 沒有「ZZ」") for p in problems)


def test_a_broken_workflow_is_not_reported_as_one_that_is_not_there(read):
    read["workflow"]["parallel_co_review"]["title"] = {}
    problems = definition_check.check_all().problems
    assert any(p.startswith("workflow/parallel_co_review title") for p in problems)
    assert all("沒有「parallel_co_review」這個流程" not in p for p in problems)
