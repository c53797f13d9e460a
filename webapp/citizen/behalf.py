"""For whom one applies, chosen before anything else: oneself, a company or association, somebody as their agent.

行政程序法 20-22 (parties), 24 (agents). What is offered is what the service permits and the form can ask.
"""

from __future__ import annotations

from dataclasses import dataclass

from forms.evaluation import Raw
from forms.model import FormDefinition
from rules.values import Text
from webapp.queries.answering import BODIES, KINDS
from workflows.service import ServiceDefinition

AGENT = "agent"
WORDS: dict[str, tuple[Text, Text]] = {
    "person": (
        Text(zh="本人", en="Myself"),
        Text(zh="以您自己的名義申請", en="In your own name"),
    ),
    "company": (
        Text(zh="公司或商號", en="A company or business"),
        Text(zh="您是負責人，或承辦這件事的員工", en="You stand for it, or handle this for it"),
    ),
    "organisation": (
        Text(zh="機關、學校或團體", en="An agency, school or association"),
        Text(zh="您是代表人，或承辦這件事的人員", en="You stand for it, or handle this for it"),
    ),
    AGENT: (
        Text(zh="代理他人", en="Somebody else, as their agent"),
        Text(
            zh="受委託的人請備妥委託書；未成年人的父母、監護人請備妥戶口資料或法院裁定，不用委託書",
            en="Have a power of attorney ready; a parent or guardian needs the household record or court ruling",
        ),
    ),
}


@dataclass(frozen=True)
class Way:
    key: str
    #: the inputs of the form that it answers
    raw: Raw

    @property
    def label(self) -> Text:
        return WORDS[self.key][0]

    @property
    def hint(self) -> Text:
        return WORDS[self.key][1]


def ways(service: ServiceDefinition, form: FormDefinition) -> tuple[Way, ...]:
    """In the order in which the service names who may apply; none where nobody can be represented."""
    if "filed_by" not in form:
        return ()
    kinds = [KINDS[kind] for kind in service.who_may_apply]
    typed = "applicant_type" in form
    if not typed:
        bodies = any(key in form for key in BODIES)
        kinds = [kind for kind in kinds if kind != "person"] if bodies else ["person"]
    own = [
        Way(kind, {"filed_by": ["self"], **({"applicant_type": [kind]} if typed else {})}) for kind in kinds
    ]
    only = {"applicant_type": kinds} if typed and len(kinds) == 1 else {}
    return (*own, Way(AGENT, {"filed_by": [AGENT], **only}))


def chosen(key: str, service: ServiceDefinition, form: FormDefinition) -> Way | None:
    """The way of that name; None, and the form asks, where nothing was chosen that is offered."""
    return next((way for way in ways(service, form) if way.key == key), None)
