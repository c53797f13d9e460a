"""The way of a case as a line of steps: what is behind it, where it stands, what may come."""

from __future__ import annotations

from dataclasses import dataclass

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

    The end is promised to nobody: until the case is decided it is called 完成.
    """
    ctx, then = progress.ctx, progress.then
    visited = {then.present(event.to_state or "", event.seq) for event in progress.events}
    lasting = {name: value for name, value in progress.facts.items() if name.startswith(LASTING)}
    path = paths.main_path(ctx.workflow, lasting, ctx.service.parameters)
    told = paths.stages(ctx.workflow, path, ctx.case.state, visited)
    states = ctx.workflow.states
    return [
        Stage(
            _("完成") if at == "next" and states[key].kind == "closed" else in_language(states[key].label), at
        )
        for key, at in told
    ]
