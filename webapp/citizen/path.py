"""The way of a case as a line of steps: what is behind it, where it stands, what may come."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby

from flask_babel import gettext as _

from webapp.citizen.progress import Progress
from webapp.presentation import in_language
from workflows import paths

#: what may still change is no ground to leave a step out
LASTING = ("service.", "applicant.", "answers.")


@dataclass(frozen=True)
class Stage:
    title: str
    state: paths.Stage


def stages(progress: Progress) -> list[Stage]:
    """By the main path of the pinned workflow, without the stages that this service does not have.

    The end is promised to nobody: until the case is decided it is called 完成. How many heads a decision passes is the
    office's own affair: states that say the same to the applicant are one step.
    """
    ctx, then = progress.ctx, progress.then
    visited = {then.present(event.to_state or "", event.seq) for event in progress.events}
    lasting = {name: value for name, value in progress.facts.items() if name.startswith(LASTING)}
    path = paths.main_path(ctx.workflow, lasting, ctx.service.parameters)
    told = paths.stages(ctx.workflow, path, ctx.case.state, visited)
    states = ctx.workflow.states
    often = Counter(states[key].citizen_label for key in path)

    def step(key: str) -> str:
        return states[key].citizen_label.zh if often[states[key].citizen_label] > 1 else key

    shown = []
    for _step, part in groupby(told, key=lambda each: step(each[0])):
        keys, at = zip(*part, strict=True)
        state = states[keys[0]]
        title = _("主管核定") if often[state.citizen_label] > 1 else in_language(state.label)
        if at[0] == "next" and state.kind == "closed":
            title = _("完成")
        shown.append(Stage(title, "current" if "current" in at else at[-1]))
    return shown
