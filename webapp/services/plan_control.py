"""Who controls plans: registers, calls, verifications, meetings, evaluations, scores."""

from __future__ import annotations

from rules.values import Text
from webapp.errors import Forbidden
from webapp.permissions import Actor


def require(actor: Actor) -> None:
    if not actor.may("control_plans"):
        raise Forbidden(Text(zh="只有研考單位可以辦理。", en="Only the plan-control office does this."))
