"""Reading what was typed into a form, with what the county has around it: the day, the clock, lists to choose from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from types import MappingProxyType

import forms.answers
from forms.builder import AnswerForm, form_class
from forms.evaluation import Raw
from forms.field_type import Lists
from forms.model import FormDefinition
from forms.places import TOWNSHIPS, village_names
from rules.values import Text, format_day
from webapp.models import Case, Slot
from webapp.moments import taipei, taipei_day
from webapp.queries import bookings, definitions, milestones
from webapp.queries.org import chart

NO_FACTS: Mapping[str, object] = MappingProxyType({})
UNITS = ("department", "bureau", "township")
#: whoever decides in its own name, the second level too: 動植物防疫所, 養護工程所
AGENCIES = ("county", *UNITS, "agency")
#: whoever leads a plan, a section too
OFFICES = (*AGENCIES, "section")
#: what a form calls the applicants that a service is for
KINDS = {"citizen": "person", "company": "company", "organisation": "organisation"}
#: a form that asks for the name of a body is filled in for one
BODIES = ("company_name", "org_name")


def agent_keys(form: FormDefinition) -> tuple[str, str]:
    """Name and number of the agent. `representative` stands for a body; only where a person applies it is the agent."""
    if "agent_name" in form or any(body in form for body in BODIES):
        return "agent_name", "agent_id"
    return "representative", "representative_id"


def clean(
    form: FormDefinition,
    raw: Raw,
    now: datetime,
    *,
    service_code: str,
    lang: str,
    keys: tuple[str, ...] | None = None,
    applicants: Collection[str] = (),
    context: Mapping[str, object] = NO_FACTS,
    today: date | None = None,
) -> forms.answers.Cleaned:
    """The answers with every mistake; `keys` limits both to some fields, `applicants` are as in `lists_of`.
    `context` are facts of the case, `today` another day to count limits from."""
    return forms.answers.clean(
        form,
        raw,
        keys=keys,
        today=today or taipei_day(now),
        moment=taipei(now),
        lang=lang,
        context=context,
        lists=lists_of(form, service_code, now, applicants),
    )


def clean_of_task(
    form: FormDefinition, raw: Raw, now: datetime, case: Case, lang: str
) -> forms.answers.Cleaned:
    """The form of a task, which may know of its case when it was filed."""
    known, keys = {"case.filed_on": case.filed_on}, keys_of_task(form, raw, case)
    return clean(form, raw, now, service_code=case.service_code, lang=lang, keys=keys, context=known)


def keys_of_task(form: FormDefinition, raw: Raw, case: Case) -> tuple[str, ...] | None:
    """The questions that the form of a task asks of a case; None: all. A plan may have no milestone to report on.

    What was typed of one that was taken out meanwhile is answered, not forgotten.
    """
    typed = any(name.startswith(f"{milestones.FIELD}-") for name in raw)
    if form.key != milestones.FORM or typed or milestones.of_case(case):
        return None
    return tuple(field.key for field in form.fields if field.key != milestones.FIELD)


def unchecked(
    form: FormDefinition,
    raw: Raw,
    now: datetime,
    *,
    service_code: str,
    lang: str,
    keys: tuple[str, ...] | None = None,
    applicants: Collection[str] = (),
    today: date | None = None,
) -> AnswerForm:
    """The fields as typed, without mistakes: nobody is told off for a page that was not sent yet."""
    lists = lists_of(form, service_code, now, applicants)
    return form_class(form, keys, lang=lang)(raw, today=today or taipei_day(now), lists=lists)


def lists_of(
    form: FormDefinition, service_code: str, now: datetime, applicants: Collection[str] = ()
) -> Lists:
    """The lists that the form chooses from; those that are the same everywhere are known to it.

    `applicants`: who may apply, as the service says it that the application is made for.
    """
    found: dict[str, dict[str, Text]] = {}
    if "units" in form.lists:
        found["units"] = _units(UNITS)
    if "agencies" in form.lists:
        found["agencies"] = _units(AGENCIES)
    if "offices" in form.lists:
        found["offices"] = _units(OFFICES)
    if "villages" in form.lists:
        owner = definitions.current_service(service_code, taipei_day(now)).owner
        found["villages"] = village_names(*([owner] if owner in TOWNSHIPS else TOWNSHIPS))
    if "applicants" in form.lists and applicants:
        found["applicants"] = {KINDS[kind]: Text(zh=kind) for kind in applicants}
    if "slots" in form.lists:
        found["slots"] = {slot.public_id: _words(slot) for slot in bookings.free_slots(service_code, now)}
    return found


def _units(kinds: Collection[str]) -> dict[str, Text]:
    """Each after what it belongs to."""
    tree = chart()
    units = [unit for unit in tree.units.values() if unit.kind in kinds]
    units.sort(key=lambda unit: [above.id for above in tree.upwards(unit.id)][::-1])
    return {unit.code: Text(zh=unit.zh, en=unit.en) for unit in units}


def _words(slot: Slot) -> Text:
    begins, ends = taipei(slot.starts_at), taipei(slot.ends_at)
    hours = f"{begins:%H:%M}–{ends:%H:%M}"
    return Text(
        zh=f"{format_day(begins.date(), 'zh')} {hours}，{slot.resource.name_zh}",
        en=f"{format_day(begins.date(), 'en')}, {hours}, {slot.resource.name_en}",
    )
