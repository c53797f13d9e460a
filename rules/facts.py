"""The fact catalogue: what a rule or a guard may ask. Only webapp collects the values.

Answers of a form are open (`answers.<key>`, typed by the form) and therefore no part of this catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rules.conditions import TYPE_NAMES, FactType, coerce, did_you_mean, is_missing, shown
from rules.values import Problem, Text


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    type: FactType
    label: Text
    unit: Text | None = None
    #: how the value is read out, with {value}; by default label, value, unit
    reading: Text | None = None
    #: added to a value below zero, with {value} as a positive number
    below_zero: Text | None = None


_WORKING_DAYS = Text(zh="個工作天", en="working days")


def _fact(name: str, type_: FactType, zh: str, en: str, unit: Text | None = None) -> Fact:
    return Fact(name, type_, Text(zh=zh, en=en), unit)


_CATALOGUE = (
    _fact("service.code", "text", "申辦項目", "Service"),
    _fact("service.owner", "text", "主管單位", "Owner unit"),
    _fact("service.handling_unit", "text", "承辦單位", "Handling unit"),
    _fact("service.workflow", "text", "流程", "Workflow"),
    _fact("service.period", "number", "公告處理期限", "Published period"),
    _fact("service.period_kind", "text", "期限計算方式", "Kind of period"),
    _fact("service.decision_level", "number", "決行層級", "Decision level"),
    _fact("service.co_review_units", "list", "會辦單位", "Co-review units"),
    _fact("service.stages", "list", "加開的階段", "Stages switched on"),
    _fact("service.deemed", "boolean", "逾期視為核准", "Silence counts as approval"),
    _fact("service.answer", "text", "答復的性質", "Kind of answer"),
    _fact("applicant.type", "text", "申請人類別", "Kind of applicant"),
    _fact("applicant.township", "text", "申請人所在鄉鎮", "Applicant's township"),
    _fact("case.channel", "text", "收件管道", "Channel"),
    _fact("case.filed_on", "date", "申請日期", "Filing date"),
    _fact("case.state", "text", "案件狀態", "State of the case"),
    _fact("case.proposal", "text", "擬辦", "Proposal"),
    _fact("case.fee", "number", "規費", "Fee", Text(zh="元", en="NT$")),
    _fact("case.paid", "boolean", "已繳費", "Fee paid"),
    _fact("case.booking", "text", "預約的狀態", "State of the appointment"),
    _fact("case.inspections", "number", "已勘查次數", "Inspections made", Text(zh="次", en="times")),
    _fact("case.actions", "list", "已做過的動作", "Actions taken so far"),
    _fact("case.stages_left", "list", "尚未完成的階段", "Stages still to be done"),
    _fact("case.paused", "boolean", "期限暫停計算", "Clock paused"),
    Fact(
        "case.days_left",
        "number",
        Text(zh="距到期日剩餘工作天", en="Working days left"),
        _WORKING_DAYS,
        reading=Text(zh="距到期日剩 {value} 個工作天", en="{value} working days left"),
        below_zero=Text(zh="（已逾期 {value} 個工作天）", en=" ({value} working days late)"),
    ),
    _fact("case.days_used", "number", "已辦理工作天", "Working days taken so far", _WORKING_DAYS),
    _fact("case.extension_days", "number", "累計展期", "Days of extension in all", _WORKING_DAYS),
    _fact("case.days_total", "number", "全部處理期限", "Whole period", _WORKING_DAYS),
    _fact("task.result", "text", "勘查結果", "Result of the inspection"),
    _fact("task.opinion", "text", "會辦意見", "Co-review opinion"),
)

FACTS: Mapping[str, Fact] = MappingProxyType({fact.name: fact for fact in _CATALOGUE})


def types(catalogue: Mapping[str, Fact] = FACTS) -> dict[str, FactType]:
    """Name to type, as the loaders of forms, workflows and conditions want it."""
    return {name: fact.type for name, fact in catalogue.items()}


def check(facts: Mapping[str, object], *, path: str, catalogue: Mapping[str, Fact] = FACTS) -> list[Problem]:
    """What is wrong with a set of facts: names outside the catalogue, values of another type."""
    problems = []
    for name, value in facts.items():
        fact = catalogue.get(name)
        if fact is None:
            message = f"沒有「{shown(name)}」這項事實{did_you_mean(name, catalogue)}"
            problems.append(Problem(path=f"{path}.{shown(name)}", message=message))
        elif not is_missing(value) and coerce(fact.type, value) is None:
            message = f"「{fact.label}」的值「{shown(value)}」不是{TYPE_NAMES[fact.type]}"
            problems.append(Problem(path=f"{path}.{name}", message=message))
    return problems
