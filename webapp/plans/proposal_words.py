"""Words of calls for proposals: subsidies, kinds of sitting, decisions, and whether a call is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from rules.values import Text
from webapp.models import ProposalCall
from webapp.queries import definitions
from workflows.model import WITHDRAW, WorkflowDefinition

WORKFLOW = "plan_proposal"
SUBSIDIES: Mapping[str, Text] = {
    "island_fund": Text(zh="離島建設基金", en="Offshore Islands Development Fund"),
    "central_budget": Text(zh="中央公務預算", en="Central budget"),
    "small_works": Text(zh="小型基層建設", en="Small works"),
}
MODES: Mapping[str, Text] = {
    "county": Text(zh="本府審查會議", en="Meeting of the county"),
    "central": Text(zh="中央審核結果", en="Answer of the ministry"),
}
#: by the kind of sitting: what it may decide
DECISIONS: Mapping[str, Mapping[str, Text]] = {
    "county": {
        "kept": Text(zh="納入", en="Keep"),
        "amended": Text(zh="修正後納入", en="Keep when amended"),
        "dropped": Text(zh="不納入", en="Leave out"),
    },
    "central": {
        "kept": Text(zh="中央核定", en="Approved by the ministry"),
        "dropped": Text(zh="未獲核定", en="Not approved"),
    },
}
DECIDED: Mapping[str, Text] = {
    "kept": Text(zh="納入", en="kept"),
    "amended": Text(zh="修正後納入", en="kept when amended"),
    "dropped": Text(zh="不納入", en="left out"),
}
COLOURS: Mapping[str, str] = {"kept": "green", "amended": "yellow", "dropped": "red"}
PAPERS: Mapping[str, Text] = {
    "kept": Text(zh="納入概算審查計畫清單", en="Plans for the budget review"),
    "minutes": Text(zh="審查會議紀錄", en="Minutes of the sitting"),
}


def standing(of: ProposalCall, today: date) -> tuple[Text, str]:
    """Whether a call is open, and the colour of its tag."""
    if today < of.opens_on:
        return Text(zh="尚未開始", en="Not open yet"), "grey"
    if today <= of.closes_on:
        return Text(zh="開放提報", en="Open"), "green"
    return Text(zh="已截止", en="Closed"), "blue"


def states(today: date) -> dict[str, Text]:
    """What the states of a proposal are called now."""
    return {key: state.label for key, state in _workflow(today).states.items()}


def withdrawable(today: date) -> frozenset[str]:
    """The states in which its unit may take a proposal back."""
    return frozenset(key for key, state in _workflow(today).states.items() if WITHDRAW in state.transitions)


def _workflow(today: date) -> WorkflowDefinition:
    return definitions.workflow(definitions.revision_id("workflow", WORKFLOW, today))
