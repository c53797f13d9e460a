"""What the citizen pages say about a service: its limit, its fee, how to apply, which documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import ngettext

from forms.circumstances import circumstances
from forms.model import Field, FormDefinition
from webapp.models import Party
from webapp.presentation import in_language, language, money
from webapp.services.parties import RELATIONS
from workflows.service import ServiceDefinition

FREE = Decimal(0)


@dataclass(frozen=True)
class NeededDocument:
    label: str
    hint: str
    #: when it is needed, in words; empty when always
    condition: str
    optional: bool
    limits: str


@dataclass(frozen=True)
class FeeLine:
    label: str
    amount: str
    note: str


def limit(service: ServiceDefinition) -> str:
    """10 個工作天."""
    n = service.period.period
    words = {
        "WD": ngettext("%(num)d 個工作天", "%(num)d 個工作天", n),
        "M-shift": ngettext("%(num)d 個月", "%(num)d 個月", n),
        "HOUR": ngettext("%(num)d 小時", "%(num)d 小時", n),
    }
    return words.get(service.period.kind, ngettext("%(num)d 天", "%(num)d 天", n))


def fee(service: ServiceDefinition) -> str:
    """免費, NT$ 500, NT$ 500 起, or that it is fixed during the review."""
    amounts = [line.amount for line in service.fees]
    if not amounts:
        return _("免費")
    known = [amount for amount in amounts if amount is not None]
    if not known:
        return _("費用審查後通知")
    simple = len(amounts) == 1 and service.fees[0].each is None and service.fees[0].when is None
    return money(known[0]) if simple else _("%(amount)s 起", amount=money(known[0]))


def way(service: ServiceDefinition) -> str:
    if service.in_person:
        return _("需到場一次")
    return _("線上申辦，正本當面核對") if service.assurance == "originals" else _("線上申辦")


def identity(service: ServiceDefinition) -> str:
    """How the office makes sure who applies; every service can be applied for without an account."""
    return {
        "none": _("不用確認身分，留下聯絡方式就好。"),
        "phone": _("承辦人會用您留的電話和您確認身分。"),
        "strong": _("審查時要確認您的身分證件，承辦單位會通知您怎麼做。"),
        "originals": _("審查時要核對文件的正本，承辦單位會通知您什麼時候帶到櫃檯，或在現場勘查時出示。"),
    }[service.assurance]


def identity_next(service: ServiceDefinition) -> str:
    """What comes next for whoever sent an application, to make sure who applies."""
    return {
        "none": "",
        "phone": _("承辦人會打您留的電話，和您確認身分。"),
        "strong": _("審查時要核對您的身分證件：請備妥國民身分證或居留證正本，承辦單位會通知您怎麼出示。"),
        "originals": _(
            "審查時要核對文件正本：請備妥您上傳文件的正本，承辦單位會通知您什麼時候帶到櫃檯，或在現場勘查時出示。"
        ),
    }[service.assurance]


def identity_in_short(service: ServiceDefinition) -> str:
    return {
        "none": _("不用確認身分"),
        "phone": _("用電話確認身分"),
        "strong": _("要確認身分證件"),
        "originals": _("要核對文件正本"),
    }[service.assurance]


def card_facts(service: ServiceDefinition) -> tuple[str, ...]:
    facts = (limit(service), fee(service), way(service))
    says_so = service.assurance == "originals" and not service.in_person
    return facts if says_so else (*facts, identity_in_short(service))


def fee_lines(service: ServiceDefinition, form: FormDefinition) -> list[FeeLine]:
    lang, lines = language(), []
    for line in service.fees:
        notes = [in_language(line.note)] if line.note else []
        if line.when is not None:
            notes.append(_("限：%(condition)s", condition=circumstances([line.when], form, lang)))
        amount = _("審查後通知") if line.amount is None else money(line.amount)
        lines.append(FeeLine(in_language(line.label), amount, _("；").join(notes)))
    return lines


def needed_documents(form: FormDefinition) -> list[NeededDocument]:
    """What to have at hand, from the file fields of the form, with their conditions in words."""
    lang, needed = language(), []
    for field in form.file_fields:
        asked = (form.section_of(field.key).when, field.when, field.required_when)
        needed.append(
            NeededDocument(
                label=in_language(field.label),
                hint=in_language(field.hint),
                condition=circumstances(asked, form, lang),
                optional=field.optional and field.required_when is None,
                limits=file_limits(field),
            )
        )
    return needed


def file_limits(field: Field) -> str:
    kinds = _("、").join(kind.upper() for kind in field.accept)
    return _("%(kinds)s，每個檔案最大 %(mb)s MB", kinds=kinds, mb=field.max_mb)


def applicants(service: ServiceDefinition) -> str:
    names = {"citizen": _("個人"), "company": _("公司、商號"), "organisation": _("機關、團體")}
    return _("、").join(names[kind] for kind in service.who_may_apply)


def people(found: Iterable[Party]) -> list[tuple[str, str]]:
    """Who applies, who stands for a company, and who acts for them; whoever gave no name is not said."""
    rows = []
    for party in found:
        more = RELATIONS[party.relation].in_(language()) if party.relation else ""
        if party.responsible:
            more = _("代表人：%(name)s", name=party.responsible)
        label = _("代理人") if party.role == "representative" else _("申請人")
        if party.name:
            rows.append(
                (label, _("%(name)s（%(more)s）", name=party.name, more=more) if more else party.name)
            )
    return rows


def channel(name: str) -> str:
    return {"web": _("網路"), "counter": _("臨櫃"), "telephone": _("電話"), "post": _("郵寄")}[name]


def outcome(name: str | None, service: ServiceDefinition) -> str:
    said = service.answers.said(name or "")
    words = {
        "withdrawn": _("已撤回"),
        "merged": _("已併案"),
        "transferred": _("已移送其他機關"),
    }
    return in_language(said.outcome) if said is not None else words.get(name or "", "")
