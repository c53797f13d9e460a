"""The closed list of actions: all that a rule may ask for. webapp carries them out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from rules.conditions import coerce, did_you_mean, shown
from rules.facts import Fact
from rules.numbers import MAX_NUMBER, is_exact
from rules.values import MAX_PERIOD, Text, say

ParamType = Literal[
    "unit", "function", "functions", "choice", "choices", "period", "number", "month_day", "name", "boolean"
]

#: the action that states facts of the ruleset itself; each ruleset has its own parameters of it
DERIVE = "derive"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_UNIT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
#: a unit that the service itself names
RELATIVE_UNITS = frozenset({"handling", "owner"})


@dataclass(frozen=True, slots=True)
class ActionParam:
    name: str
    label: Text
    type: ParamType
    #: the values of a choice, each with its name
    choices: Mapping[str, Text] = field(default_factory=dict)
    #: a rule may leave it out
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    label: Text
    params: tuple[ActionParam, ...]


def _text(words: str) -> Text:
    """中文|English"""
    zh, _, en = words.partition("|")
    return Text(zh=zh, en=en)


def _param(name: str, words: str, type_: ParamType, *, optional: bool = False, **choices: str) -> ActionParam:
    return ActionParam(name, _text(words), type_, {k: _text(v) for k, v in choices.items()}, optional)


def _action(name: str, words: str, *params: ActionParam) -> Action:
    return Action(name, _text(words), params)


_WHAT = _param(
    "what",
    "事項|what",
    "choice",
    registration="列管登記|registration",
    report="進度填報|progress report",
    supervisor_check="主管覆核|check by the supervisor",
    consolidation="彙整|consolidation",
    notify_research="通知研考單位|telling the plan-control office",
    basic_data="基本資料|basic data",
    submission="提報|submission",
    self_evaluation="自評|self evaluation",
    review="複評|review",
    assignment="分派|assignment",
    reassignment="改分|reassignment",
    directive="裁示事項辦理|work on a directive",
)
_ROUNDED = _param(
    "of",
    "對象|of",
    "choice",
    progress="進度|progress",
    shown="顯示的進度|progress shown",
    average="平均|average",
    ratio="達成度 C|ratio C",
    score="得分|score",
    rate="達成率|rate",
    grade="考核總分|final score",
)

_GRADED = _param(
    "item",
    "項目|item",
    "choice",
    progress="執行進度|progress",
    budget="預算執行|budget",
    reporting="填報時效|reporting",
    administration="行政作業|administration",
)

_ACTIONS = (
    # --- cases
    _action("assign_unit", "指定承辦單位|Assign the unit", _param("unit", "單位|unit", "unit")),
    _action(
        "assign_function", "指定承辦職務|Assign the function", _param("function", "職務|function", "function")
    ),
    _action(
        "pick_officer",
        "選派承辦人|Pick the officer",
        _param(
            "by",
            "選派方式|by",
            "choice",
            township="依所在鄉鎮|by township",
            turn="輪流|in turn",
            load="派給待辦最少者|whoever has the fewest open tasks",
        ),
    ),
    Action(
        "set_period",
        _text("訂定處理期限|Set the period"),
        (
            ActionParam(
                "kind",
                _text("計算方式|kind"),
                "choice",
                {
                    "WD": _text("工作天|working days"),
                    "CD": _text("日曆天|calendar days"),
                    "CD-shift": _text("日曆天，末日遇假日順延|calendar days, moved past a day off"),
                    "M-shift": _text("月，末日遇假日順延|months, moved past a day off"),
                    "HOUR": _text("小時|hours"),
                },
            ),
            _param("period", "期間|period", "period"),
        ),
    ),
    _action(
        "set_risk",
        "訂定風險等級|Set the risk",
        _param("level", "等級|level", "choice", low="低|low", medium="中|medium", high="高|high"),
    ),
    _action(
        "require_approval", "指定核定職務|Name who approves", _param("function", "職務|function", "function")
    ),
    _action(
        "escalate",
        "稽催|Escalate",
        _param("rung", "階段|rung", "name"),
        _param("to", "通知職務|to", "functions"),
        _param(
            "kind",
            "種類|kind",
            "choice",
            warn="預警|warning",
            due="到期|due",
            overdue="逾期|overdue",
            review="調卷分析|review of the file",
        ),
        # in the digest of the day unless the rule says at once
        _param(
            "delivery",
            "通知方式|delivery",
            "choice",
            optional=True,
            digest="每日彙整|digest of the day",
            at_once="立即|at once",
        ),
    ),
    _action("ask_correction", "通知補正|Ask for a correction", _param("days", "補正日數|days", "period")),
    _action(
        "tell_right",
        "告知權利|Tell of a right",
        _param(
            "right",
            "權利|right",
            "choice",
            remedy="訴願、訴訟或國家賠償|appeal, lawsuit or state compensation",
            other_agency="向主管機關提出|turning to the competent agency",
        ),
    ),
    # --- petitions and the hotline
    _action("mark_confidential", "身分保密|Keep the identity secret"),
    _action(
        "allow_unprocessed",
        "得不予處理（仍須登錄）|May be left unprocessed, but is registered",
        _param(
            "ground",
            "理由|ground",
            "choice",
            no_content="無具體內容|no concrete content",
            no_name="未具真實姓名或聯絡方式|no real name or contact",
            answered="同一事由已答覆|same matter already answered",
            several_agencies="同一事由分向各機關陳情|same matter sent to several agencies",
            court_case="已進入司法程序|before a court",
            advertising="廣告|advertising",
            misdirected="寄錯信箱|wrong address",
            abuse="謾罵|abuse",
        ),
    ),
    _action("transfer_to_competent", "移送主管機關並通知|Transfer to the competent agency and tell"),
    _action("interim_reply", "先行函復辦理情形|Send an interim reply"),
    _action("close_at_once", "即時結案|Close at once"),
    _action("ask_confirmation", "寄送確認信|Ask to confirm by e-mail"),
    _action(
        "open_survey",
        "開放滿意度調查|Open the survey",
        _param("days", "回復後日數|days after the reply", "period"),
    ),
    # --- plans and directives
    _action(
        "set_light",
        "燈號|Light",
        _param(
            "light",
            "燈號|light",
            "choice",
            blue="藍燈|blue",
            green="綠燈|green",
            yellow="黃燈|yellow",
            red="紅燈|red",
            grey="灰燈|grey",
            white="白燈|white",
        ),
    ),
    _action(
        "set_progress",
        "執行狀態|Progress",
        _param(
            "status",
            "狀態|status",
            "choice",
            ahead="超前|ahead",
            on_track="符合進度|on track",
            behind="落後|behind",
            severe="嚴重落後|severely behind",
            no_report="未填報|no report",
        ),
    ),
    _action(
        "flag",
        "註記|Flag",
        _param(
            "name",
            "註記|flag",
            "choice",
            report_missing="逾期未填報|report missing",
            steep_curve="預定進度集中於期末|planned curve steep at the end",
            low_execution="預算執行率偏低|budget execution low",
            checkpoint_late="查核點逾期|checkpoint late",
            new_baseline="建立新的預定進度|new baseline",
        ),
    ),
    _action(
        "require_explanation",
        "填報落後說明|Ask for an explanation",
        _param(
            "parts",
            "內容|parts",
            "choices",
            reason_class="原因類別|class of reason",
            reason="落後原因|reason",
            countermeasure="因應對策|countermeasure",
            catch_up_date="預計趕上日期|date to catch up",
        ),
    ),
    _action(
        "require_document",
        "檢附文件|Ask for a document",
        _param("document", "文件|document", "choice", ministry_letter="中央同意函|the ministry's letter"),
    ),
    _action(
        "select_for_control",
        "選項列管|Select for control",
        _param(
            "level",
            "列管層級|level",
            "choice",
            magistrate="縣長列管|by the magistrate",
            county="府列管|by the county",
            unit="單位自行列管|by the unit itself",
        ),
    ),
    _action(
        "report_every",
        "定期填報或彙報|Report regularly",
        _param(
            "period",
            "週期|period",
            "choice",
            week="每週|week",
            half_month="每半月|half month",
            month="每月|month",
            quarter="每季|quarter",
            meeting="每次會議|meeting",
        ),
        _param("to", "對象|to", "functions", optional=True),
    ),
    _action("assign_supervisor", "指定督管|Name the supervisor", _param("to", "職務|functions", "functions")),
    _action(
        "pick_verification",
        "查證|Verify",
        _param(
            "kind",
            "方式|kind",
            "choice",
            on_site="實地查證|on site",
            written="書面查證|in writing",
            heads_meeting="提主管會報檢討|heads meeting",
        ),
    ),
    _action("add_points", "計點|Points", _param("points", "點數|points", "number")),
    _action(
        "lock_report", "停止受理填報|Close the report", _param("unlock", "解鎖職務|unlocked by", "function")
    ),
    _action(
        "set_control",
        "列管狀態|State of control",
        _param(
            "status",
            "狀態|status",
            "choice",
            executing="執行中|under way",
            released="完成並解除列管|released",
            continued="賡續列管|continued",
            carried_over="跨年度續列管|carried over",
        ),
    ),
    # --- time
    _action("due_within", "限期|Due within", _WHAT, _param("days", "日數|days", "period")),
    _action("due_on", "期限日|Due on", _WHAT, _param("day", "月日|day of the year", "month_day")),
    _action("due_monthly", "每月期限|Due every month", _WHAT, _param("day", "日|day of the month", "number")),
    # --- scores
    _action(
        "score_by",
        "計分公式|Formula",
        _param(
            "formula",
            "公式|formula",
            "choice",
            achieved_by_target="C＝B÷A|C = B / A",
            target_by_achieved="C＝A÷B|C = A / B",
            equal="B＝A 為 100%，否則 0|100% where B = A, else 0",
            full="C＝100%|C = 100%",
        ),
    ),
    _action("cap_ratio", "達成度上限|Cap of the ratio", _param("percent", "百分比|per cent", "number")),
    _action(
        "set_rounding",
        "小數位數|Decimals",
        _ROUNDED,
        _param("decimals", "位數|decimals", "number"),
        _param("mode", "方式|mode", "choice", half_up="四捨五入|half up", truncate="無條件捨去|truncated"),
    ),
    _action(
        "leave_out",
        "不列入評分|Leave out",
        _param(
            "weights",
            "權重|weights",
            "choice",
            rescale="按比例調整其他權重|rescale the others",
            keep="不調整|keep",
        ),
    ),
    _action(
        "set_weight",
        "評分項目權重|Weight",
        _GRADED,
        _param("weight", "權重|weight", "number"),
    ),
    _action(
        "set_points", "評分項目得分|Points of an item", _GRADED, _param("points", "分數|points", "number")
    ),
    _action(
        "deduct_points",
        "每退回一次扣分|Deducted each time it was sent back",
        _GRADED,
        _param("points", "分數|points", "number"),
    ),
    _action(
        "set_grade",
        "考核等第|Grade",
        _param(
            "grade", "等第|grade", "choice", excellent="優等|excellent", a="甲等|A", b="乙等|B", c="丙等|C"
        ),
    ),
)


ACTIONS: Mapping[str, Action] = MappingProxyType({action.name: action for action in _ACTIONS})


def deriving(facts: Iterable[Fact]) -> Mapping[str, Action]:
    """The actions of a ruleset that derives these facts."""
    params = tuple(
        ActionParam(
            fact.name.partition(".")[2],
            fact.label,
            "choice" if fact.type == "text" else "boolean" if fact.type == "boolean" else "number",
            fact.options,
            optional=True,
        )
        for fact in facts
    )
    return {**ACTIONS, DERIVE: Action(DERIVE, _text("得出|Derive"), params)} if params else ACTIONS


def find(action: str, param: str, among: Mapping[str, Action] = ACTIONS) -> ActionParam | None:
    return next((p for p in among[action].params if p.name == param), None)


def in_words(action: str, params: Mapping[str, object]) -> Text:
    """What a rule asks for: 燈號：紅燈. Units and functions stay codes: only webapp knows their names."""
    asked = ACTIONS[action]
    values = {
        lang: [_value_in(find(action, name), value, lang) for name, value in params.items()]
        for lang in ("zh", "en")
    }
    return Text(
        zh="：".join(filter(None, [asked.label.in_("zh"), "，".join(values["zh"])])),
        en=": ".join(filter(None, [asked.label.in_("en"), ", ".join(values["en"])])),
    )


def _value_in(param: ActionParam | None, value: object, lang: str) -> str:
    if isinstance(value, (list, tuple)):
        return ("、" if lang == "zh" else ", ").join(_value_in(param, each, lang) for each in value)
    name = param.choices.get(str(value)) if param else None
    return name.in_(lang) if name else str(value)


_NO_BOOLEAN = Text(zh="必須是 true 或 false", en="must be true or false")
_NO_MONTH_DAY = Text(zh="必須是月日，例如 01-31", en="must be month and day, such as 01-31")
_NO_CODE = Text(zh="不是有效的代碼", en="is no valid code")


def mistake(
    param: ActionParam, value: object, functions: frozenset[str] | None, units: frozenset[str] | None
) -> Text | None:
    """What is wrong with a value, or None. Functions and units are checked where their names are given."""
    if param.type == "choice":
        if isinstance(value, str) and value in param.choices:
            return None
        return _wrong(
            param,
            value,
            say(
                "不在可選的值之中：{choices}",
                "is none of the values to choose from: {choices}",
                choices=list(param.choices),
            ),
        )
    if param.type == "boolean":
        return None if isinstance(value, bool) else _wrong(param, value, _NO_BOOLEAN)
    if param.type == "choices":
        return _mistake_of_list(param, value)
    if param.type == "number":
        if is_exact(coerce("number", value)):
            return None
        return _wrong(
            param,
            value,
            say(
                "必須是數字，最多六位小數，不大於 {most:,}",
                "must be a number with at most six decimals, not above {most:,}",
                most=MAX_NUMBER,
            ),
        )
    if param.type == "month_day":
        if isinstance(value, str) and coerce("date", f"2000-{value}") is not None:
            return None
        return _wrong(param, value, _NO_MONTH_DAY)
    if param.type == "period":
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MAX_PERIOD:
            return None
        said = say("必須是 1 到 {most} 的整數", "must be a whole number from 1 to {most}", most=MAX_PERIOD)
        return _wrong(param, value, said)
    if param.type == "functions":
        if not isinstance(value, (list, tuple)) or not value:
            return say(
                "{label}必須是至少有一個職務的清單",
                "“{label}” must be a list of at least one function",
                label=param.label,
            )
        mistakes = (_unknown_name(param, item, _NAME, functions) for item in value)
        return next((m for m in mistakes if m), None)
    if param.type == "unit":
        return _unknown_name(param, value, _UNIT, None if units is None else units | RELATIVE_UNITS)
    return _unknown_name(param, value, _NAME, functions if param.type == "function" else None)


def _wrong(param: ActionParam, value: object, what: Text) -> Text:
    return say(
        "{label}「{value}」{what}",
        "“{label}”: “{value}” {what}",
        label=param.label,
        value=shown(value),
        what=what,
    )


def _mistake_of_list(param: ActionParam, value: object) -> Text | None:
    if not isinstance(value, (list, tuple)) or not value:
        return say(
            "{label}必須是至少有一個值的清單",
            "“{label}” must be a list of at least one value",
            label=param.label,
        )
    unknown = [shown(each) for each in value if not isinstance(each, str) or each not in param.choices]
    if not unknown:
        return None
    return say(
        "{label}沒有「{value}」，可選：{choices}",
        "“{label}” has no “{value}”; choose from: {choices}",
        label=param.label,
        value=unknown[0],
        choices=list(param.choices),
    )


def _unknown_name(
    param: ActionParam, value: object, pattern: re.Pattern[str], known: frozenset[str] | None
) -> Text | None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        return _wrong(param, value, _NO_CODE)
    if known is not None and value not in known:
        return say(
            "沒有「{value}」這個{label}{hint}",
            "“{label}”: there is no “{value}”{hint}",
            value=value,
            label=param.label,
            hint=did_you_mean(value, sorted(known)),
        )
    return None
