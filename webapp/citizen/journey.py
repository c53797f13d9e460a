"""The way through a draft: which steps its answers call for, and where one goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import forms.answers
from forms.evaluation import Raw
from forms.model import Field, FormDefinition, Section
from rules.conditions import facts_of
from webapp.citizen.sheet import Sheet
from webapp.errors import NotFound
from webapp.models import Document, Draft, Handover
from webapp.moments import taipei_day
from webapp.presentation import language
from webapp.queries import definitions, handovers
from webapp.security import actor, now
from webapp.services import applications, drafts
from workflows.service import ServiceDefinition


@dataclass
class Journey:
    draft: Draft

    @property
    def key(self) -> str:
        return self.draft.public_id

    @property
    def is_mine(self) -> bool:
        """Whether the actor is the owner, and does not only help."""
        return drafts.owns(actor(), self.draft.account_id, self.draft.device_hash)

    @property
    def may_ask(self) -> bool:
        """For help: an applicant may, for their own draft."""
        return self.is_mine and not actor().is_staff

    def leaves(self, field: Field) -> bool:
        """Whether the actor has to leave the answer to the applicant: a clerk writes down what is said, a relative
        agrees to nothing and signs nothing for somebody else."""
        return field.kind.own_word and not self.is_mine and not self.intake

    @property
    def intake(self) -> dict[str, Any] | None:
        """What a clerk notes is for the office."""
        return self.draft.intake if actor().is_staff else None

    @cached_property
    def handover(self) -> Handover | None:
        """The code that waits, or whoever helps now."""
        return handovers.live(self.key)

    @cached_property
    def form(self) -> FormDefinition:
        return definitions.form(self.draft.form_revision_id)

    @cached_property
    def service(self) -> ServiceDefinition:
        return definitions.current_service(self.draft.service_code, taipei_day(now()))

    def whole(self) -> forms.answers.Cleaned:
        """Every answer of the draft, with every mistake that remains."""
        return applications.check(self.draft, now(), language())

    def sections(self) -> list[Section]:
        """The steps that the answers so far call for. The review comes after them, as the last one."""
        hidden = self.whole().hidden
        return [s for s in self.form.sections if any(f.key not in hidden for f in s.fields)]

    def section(self, key: str) -> Section:
        found = next((section for section in self.form.sections if section.key == key), None)
        if found is None:
            raise NotFound()
        return found

    def after(self, key: str) -> str | None:
        """The next step; None when the review is next."""
        later = [s.key for s in self.form.sections]
        rest = set(later[later.index(key) + 1 :])
        return next((s.key for s in self.sections() if s.key in rest), None)

    def before(self, key: str) -> str | None:
        earlier = [s.key for s in self.form.sections]
        rest = set(earlier[: earlier.index(key)])
        return next((s.key for s in reversed(self.sections()) if s.key in rest), None)

    def unfinished(self) -> str | None:
        """The first step that still has a mistake; None when all is ready for the review."""
        wrong = self.whole().errors
        for section in self.form.sections:
            if any(f.key in wrong and not self.leaves(f) for f in section.fields):
                return section.key
        return None


class DraftSheet(Sheet):
    """One step of a draft."""

    def __init__(self, journey: Journey, section: Section) -> None:
        self.journey, self.section = journey, section
        self.draft, self.form = journey.draft, journey.form
        self.revision, self.upload_key = journey.draft.form_revision_id, journey.key
        self.service_code, self.applicants = journey.draft.service_code, journey.service.who_may_apply
        hidden = journey.whole().hidden
        shown = [f for f in section.fields if f.key not in hidden or self._may_appear(f)]
        self.keys = tuple(f.key for f in shown if not journey.leaves(f))
        #: what is only shown, for the applicant to answer
        self.left = [f for f in shown if journey.leaves(f)]

    def _may_appear(self, field: Field) -> bool:
        """A hidden question stays in the page if an answer of this very page can call for it."""
        if field.when is None:
            return False
        here = {f"answers.{f.key}" for f in self.section.fields}
        return any(name in here or name.rpartition(".")[0] in here for name in facts_of(field.when))

    @property
    def raw(self) -> Raw:
        return self.draft.raw

    @property
    def version(self) -> int:
        return self.draft.version

    @property
    def today(self) -> date:
        return applications.counted_from(self.draft, now())

    def save(self, raw: Raw, version: int) -> None:
        drafts.save(self.draft, self.form, self.keys, raw, version, now())

    def lock(self) -> None:
        drafts.lock(self.draft)

    def add_file(self, document: Document) -> None:
        drafts.add_file(self.draft, document)

    def drop_file(self, key: str, public_id: str) -> None:
        drafts.drop_file(self.draft, key, public_id)
