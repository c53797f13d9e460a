"""The fact catalogue: what a rule or a guard may ask. Only webapp collects the values.

Answers of a form are open (`answers.<key>`, typed by the form) and therefore no part of this catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rules.conditions import TYPE_NAMES, FactType, coerce, is_missing, no_fact, shown
from rules.values import Problem, Text, say


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
    #: a text that is one of these, each with its name; empty where the values are open
    options: Mapping[str, Text] = field(default_factory=dict)


_WORKING_DAYS = Text(zh="個工作天", en="working days")


_DAYS = Text(zh="日", en="days")
_MONTHS = Text(zh="個月", en="months")
_TIMES = Text(zh="次", en="times")
_PERCENT = Text(zh="%", en="%")
_POINTS = Text(zh="個百分點", en="percentage points")
_MONEY = Text(zh="元", en="NT$")


def _fact(
    name: str,
    type_: FactType,
    zh: str,
    en: str,
    unit: Text | None = None,
    options: Mapping[str, tuple[str, str]] | None = None,
) -> Fact:
    named = {value: Text(zh=zh, en=en) for value, (zh, en) in (options or {}).items()}
    return Fact(name, type_, Text(zh=zh, en=en), unit, options=named)


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
    _fact("case.fee", "number", "規費", "Fee", _MONEY),
    _fact("case.paid", "boolean", "已繳費", "Fee paid"),
    _fact("case.booking", "text", "預約的狀態", "State of the appointment"),
    _fact("case.inspections", "number", "已勘查次數", "Inspections made", _TIMES),
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
    _fact(
        "case.documents_missing", "number", "尚缺文件數", "Documents missing", Text(zh="件", en="documents")
    ),
    _fact("case.corrections", "number", "已通知補正次數", "Corrections asked so far", _TIMES),
    _fact(
        "applicant.rejections",
        "number",
        "申請人過去被否准次數",
        "Earlier rejections of the applicant",
        _TIMES,
    ),
    # --- petitions and the hotline
    _fact(
        "petition.kind",
        "text",
        "陳情類別",
        "Kind of petition",
        options={"mailbox": ("首長信箱", "mailbox letter"), "petition": ("一般陳情", "petition")},
    ),
    _fact(
        "petition.channel",
        "text",
        "陳情管道",
        "Channel of the petition",
        options={
            "email": ("電子郵件", "e-mail"),
            "web": ("網路表單", "online form"),
            "counter": ("臨櫃", "at the counter"),
            "telephone": ("電話", "by telephone"),
            "post": ("書面", "by post"),
            "none": ("不使用", "none"),
        },
    ),
    _fact("petition.units", "number", "權責單位數", "Units concerned", Text(zh="個單位", en="units")),
    _fact("petition.foreign_language", "boolean", "外文陳情", "In a foreign language"),
    _fact("petition.needs_investigation", "boolean", "須調查", "Needs an investigation"),
    _fact("petition.accuses", "boolean", "檢舉或控訴", "Reports or accuses somebody"),
    _fact("petition.has_content", "boolean", "有具體內容", "Has concrete content"),
    _fact("petition.has_identity", "boolean", "具真實姓名及聯絡方式", "Has a real name and contact"),
    _fact(
        "petition.times_answered", "number", "同一事由已答覆次數", "Answers to the same matter so far", _TIMES
    ),
    _fact(
        "petition.several_agencies",
        "boolean",
        "同一事由分向各機關陳情",
        "Same matter sent to several agencies",
    ),
    _fact(
        "petition.matter",
        "text",
        "陳情性質",
        "Nature of the petition",
        options={
            "ordinary": ("一般事項", "ordinary"),
            "court_case": ("已進入司法程序", "before a court"),
            "advertising": ("廣告", "advertising"),
            "misdirected": ("寄錯信箱", "wrong address"),
            "abuse": ("謾罵", "abuse"),
        },
    ),
    _fact(
        "petition.remedy_open",
        "boolean",
        "得提起訴願、訴訟或請求國家賠償",
        "An appeal, lawsuit or claim is open",
    ),
    _fact("petition.competent", "boolean", "屬本府權責", "The county is competent"),
    _fact("petition.reassignment_asked", "boolean", "承辦單位請求改分", "The unit asks for reassignment"),
    _fact("petition.site_visit", "boolean", "須現場會勘", "Needs a site visit"),
    _fact(
        "hotline.service",
        "text",
        "1999 服務項目",
        "Service of the 1999 hotline",
        options={
            "transfer": ("轉接", "transfer"),
            "advice": ("諮詢", "advice"),
            "petition": ("陳情", "petition"),
            "dispatch": ("派工", "dispatch"),
            "project": ("專案服務", "project"),
        },
    ),
    _fact("hotline.safety", "boolean", "影響安全", "A matter of safety"),
    # --- plans, per plan and register
    _fact("plan.planned", "number", "預定進度", "Planned progress", _PERCENT),
    _fact("plan.actual", "number", "實際進度", "Actual progress", _PERCENT),
    Fact(
        "plan.lag",
        "number",
        Text(zh="進度落後", en="Lag"),
        _POINTS,
        reading=Text(zh="進度落後 {value} 個百分點", en="lag of {value} percentage points"),
        below_zero=Text(zh="（超前 {value} 個百分點）", en=" ({value} percentage points ahead)"),
    ),
    _fact(
        "plan.standing",
        "text",
        "執行狀態",
        "Standing",
        options={
            "severe": ("嚴重落後", "severely behind"),
            "behind": ("落後", "behind"),
            "on_track": ("符合進度", "on track"),
            "ahead": ("超前", "ahead"),
            "no_report": ("未填報", "no report"),
        },
    ),
    _fact("plan.months_behind", "number", "連續落後月數", "Months behind in a row", _MONTHS),
    _fact("plan.report_missing", "boolean", "當期未填報", "Report missing"),
    _fact("plan.days_after_cutoff", "number", "填報截止後日數", "Days after the cut-off", _DAYS),
    _fact(
        "plan.planned_curve_step",
        "number",
        "期程最後二成的預定進度比重",
        "Share of the planned progress in the last fifth of the period",
        _PERCENT,
    ),
    _fact("plan.checkpoint_late", "boolean", "查核點逾期", "A checkpoint is late"),
    _fact("plan.budget", "number", "計畫經費", "Budget", _MONEY),
    _fact("plan.budget_execution", "number", "預算執行率", "Budget execution", _PERCENT),
    _fact(
        "plan.level",
        "text",
        "列管層級",
        "Level of control",
        options={
            "magistrate": ("縣長列管", "by the magistrate"),
            "county": ("府列管", "by the county"),
            "unit": ("單位自行列管", "by the unit itself"),
        },
    ),
    _fact(
        "plan.origins",
        "list",
        "列管來源",
        "Why it is controlled",
        options={
            "pledge": ("縣長政見", "pledge of the magistrate"),
            "directive": ("指裁示事項", "directive"),
            "central_subsidy": ("中央補助", "central subsidy"),
        },
    ),
    _fact("plan.newly_approved", "boolean", "年度中新增核定", "Approved during the year"),
    _fact("plan.public_concern", "boolean", "民眾關切", "Of public concern"),
    _fact("plan.days_to_completion", "number", "距預定完成日數", "Days to the planned completion", _DAYS),
    _fact("plan.completed", "boolean", "已完工", "Completed"),
    _fact("plan.accepted", "boolean", "已驗收", "Accepted"),
    _fact(
        "plan.verification_open",
        "boolean",
        "查證或應改善事項尚未結案",
        "A verification or improvement is open",
    ),
    _fact("plan.given_up", "boolean", "申請撤案", "It is given up"),
    _fact("plan.reason_given", "boolean", "已敘明原因", "A reason is given"),
    _fact("plan.year_ended", "boolean", "年度終了", "The year has ended"),
    _fact("plan.reports_in_time", "number", "準時填報比率", "Share of reports in time", _PERCENT),
    _fact("plan.corrections", "number", "填報退回次數", "Reports sent back", _TIMES),
    _fact("plan.schedule_change", "boolean", "申請修正期程", "A change of the schedule is asked for"),
    _fact(
        "plan.subsidy",
        "text",
        "補助來源",
        "Subsidy",
        options={
            "island_fund": ("離島建設基金", "Offshore Islands Development Fund"),
            "central_budget": ("中央公務預算", "central budget"),
            "small_works": ("小型基層建設", "small works"),
            "none": ("無補助", "none"),
        },
    ),
    # --- directives and scores
    _fact("directive.due_given", "boolean", "裁示已訂期限", "A limit was given"),
    _fact("directive.done", "boolean", "裁示事項已完成", "The directive is carried out"),
    _fact("directive.long_term", "boolean", "須長期規劃", "Needs long-term planning"),
    _fact(
        "score.direction",
        "text",
        "指標方向",
        "Direction of the indicator",
        options={
            "higher": ("越高越好", "higher is better"),
            "lower": ("越低越好", "lower is better"),
            "equal": ("須等於目標", "equal to the target"),
        },
    ),
    _fact(
        "score.dimension",
        "text",
        "評核面向",
        "Dimension",
        options={
            "business": ("業務", "business"),
            "staff": ("人力", "staff"),
            "budget": ("經費", "budget"),
        },
    ),
    _fact("score.target", "number", "目標值 A", "Target A"),
    _fact("score.achieved", "number", "達成值 B", "Achieved B"),
    _fact("score.assessable", "boolean", "可評核", "Can be assessed"),
    _fact("score.rate", "number", "達成率", "Rate", _PERCENT),
    _fact("score.total", "number", "考核總分", "Final score", Text(zh="分", en="points")),
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
            problems.append(Problem(path=f"{path}.{shown(name)}", message=no_fact(name, catalogue)))
        elif not is_missing(value) and coerce(fact.type, value) is None:
            message = say(
                "「{label}」的值「{value}」不是{type}",
                "The value “{value}” of “{label}” is not of type {type}",
                label=fact.label,
                value=shown(value),
                type=TYPE_NAMES[fact.type],
            )
            problems.append(Problem(path=f"{path}.{name}", message=message))
    return problems
