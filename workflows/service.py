"""A service (申辦項目): who may apply, how long it takes, what it costs, and what its letters say."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from rules.conditions import FactType, shown
from rules.values import DefinitionError, Problem, Text, say
from workflows.answers import ANSWERS, DECISION, OTHER_LETTERS, Answer, Kind
from workflows.confidential import CONFIDENTIAL
from workflows.model import Frozen, Guard, Period, WorkflowDefinition
from workflows.reading import (
    build,
    mapping,
    no_list,
    read_joined,
    refused,
    repeated,
    unit_twice,
    unknown,
    with_guard,
)
from workflows.remedy import SEATS, seat_of
from workflows.service_parts import expand
from workflows.wording import WORDING, Wording, mistakes

#: the transition of the system that a workflow has where silence may mean consent
DEEMED = "deemed_approved"
UNFILLED = "（未填）"
#: the words of `basis_status` where somebody must still look the law, the limit or the fee up
TO_VERIFY = "待確認"

#: the everyday categories of the catalogue
GROUPS: Mapping[str, Text] = MappingProxyType(
    {
        "business": Text(zh="創業與商業", en="Business"),
        "land_building": Text(zh="土地與建築", en="Land and buildings"),
        "farming": Text(zh="農林漁牧", en="Farming, forestry and fishery"),
        "animals": Text(zh="寵物與動物", en="Pets and animals"),
        "roads": Text(zh="道路與管線", en="Roads and utilities"),
        "transport": Text(zh="交通與運輸", en="Transport"),
        "welfare": Text(zh="福利與補助", en="Benefits and subsidies"),
        "education_culture": Text(zh="教育、文化與體育", en="Education, culture and sports"),
        "health": Text(zh="健康與長照", en="Health and long-term care"),
        "environment": Text(zh="環境與清潔", en="Environment"),
        "safety": Text(zh="治安與消防", en="Police and fire safety"),
        "tax": Text(zh="稅務與財產", en="Taxes and property"),
        "daily_life": Text(zh="戶籍與生活", en="Household and daily life"),
        "rights": Text(zh="法律與權益", en="Law and rights"),
        "tourism": Text(zh="觀光與住宿", en="Tourism"),
    }
)

#: What a letter may quote besides the answers; webapp supplies each as a text.
LETTER_FACTS: Mapping[str, FactType] = MappingProxyType(
    {
        "applicant.name": "text",
        "case.number": "text",
        "case.filed_on": "date",
        "case.due_on": "date",
        "service.title": "text",
        "service.outcome": "text",
        "service.legal_basis": "text",
        "decision.reason": "text",
        "inspection.on": "date",
        "inspection.findings": "text",
        "booking.slot": "text",
        "booking.place": "text",
        "decision.date": "date",
        # of the last hearing of the parties
        "hearing.on": "date",
        "hearing.terms": "text",
        "decision.amounts": "text",
        "correction.items": "text",
        "correction.due_on": "date",
    }
)

#: what an invitation may quote and ask besides
SESSION_FACTS: Mapping[str, FactType] = MappingProxyType(
    {
        "session.committee": "text",
        "session.on": "date",
        "session.at": "text",
        "session.place": "text",
        #: planned, moved or cancelled; and the words for it
        "session.occasion": "text",
        "session.notice": "text",
        "session.reason": "text",
        #: who reads it: the applicant or the other side
        "session.to": "text",
    }
)

LETTERS = ("receipt", "correction", "return", "grant", "reject")
#: to whoever is invited to a session of a committee; that the parties did not settle
MORE_LETTERS = ("invitation", "certificate")
#: 行政程序法 96 I 2: what a decision must state besides what the layout and the remedy notice carry
DECISION_PARTS = frozenset({"fact", "reason", "basis"})
DECISIONS = frozenset({"return", "grant", "reject"})

_MARKS = frozenset("。；，、）」』)")
MOST_PAYMENT_DAYS = 366
#: the parameter that names whom a session of a committee invites: the applicant, and questions of the form with rows
#: of name, address and telephone
INVITED, APPLICANT = "invited", "applicant"
#: the parameter that says how many of a hundred cases are drawn for a check after they were issued (抽查)
SAMPLE_AUDIT = "sample_audit_percent"
#: the parameter that names the unit of the county which looks at what a township has reviewed (縣府複核)
COUNTY_UNIT = "county_unit"

_PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[a-z0-9_]+)+)\}")


def fill(text: str, facts: Mapping[str, str]) -> str:
    """The text with every {fact} replaced by its value; what is unknown or empty is said to be.

    A quoted sentence leaves its own full stop out where the text goes on with a mark: no 「（…。）」, no 「。。」.
    """

    def quoted(found: re.Match[str]) -> str:
        value = facts.get(found[1], "") or UNFILLED
        return (
            value.rstrip("。．.；;，,") or value if text[found.end() : found.end() + 1] in _MARKS else value
        )

    return _PLACEHOLDER.sub(quoted, text)


def _amount(data: object) -> object:
    """Money is a text in a definition, so that no float ever touches it."""
    if isinstance(data, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", data):
        return Decimal(data)
    if data is None or isinstance(data, Decimal):
        return data
    raise refused(
        "金額必須是加引號的數字，例如 '500'；審查後才能決定的寫 null",
        "An amount must be digits in quotes, such as '500'; null where only the review can fix it",
    )


class Fee(Frozen):
    key: str
    label: Text
    #: None: fixed during the review
    amount: Annotated[Decimal | None, BeforeValidator(_amount)]
    note: Text | None = None
    when: Guard = None
    #: the fact whose size (rows of a table) or value multiplies the amount
    each: str | None = None
    #: how many of them are covered by another line
    beyond: int = Field(default=0, ge=0, strict=True)

    def quantity(self, facts: Mapping[str, object]) -> int:
        """How often the amount is due; none while the fact is not known."""
        if self.each is None:
            return 1
        value = facts.get(self.each)
        count = 0
        if isinstance(value, list | tuple):
            count = len(value)
        elif isinstance(value, int | Decimal) and not isinstance(value, bool):
            count = int(value)
        return max(0, count - self.beyond)


class Award(Frozen):
    """An amount that a decision grants (補助、獎勵); the officer who proposes to grant fixes it."""

    key: str
    label: Text
    at_most: Annotated[Decimal | None, BeforeValidator(_amount)] = None
    #: paid every month until it is stopped, and looked at again every year (按月發給、年度複查)
    monthly: bool = Field(default=False, strict=True)


class Paragraph(Frozen):
    text: Text
    when: Guard = None
    part: Literal["fact", "reason", "basis", "note"] = "note"


class Letter(Frozen):
    #: what stands above it where it is a certificate or a permit; 函 when not said
    title: Text | None = None
    subject: Text
    paragraphs: tuple[Paragraph, ...] = Field(min_length=1)
    #: what the officer must write into 附款 before it is sent, where the letter refers to it
    needs_conditions: Text | None = None


class Extension(Frozen):
    """展期: how often, and how long at most (in the unit of the period; as long as the period when not said)."""

    times: int = Field(default=1, ge=1, strict=True)
    at_most: int | None = Field(default=None, ge=1, strict=True)
    #: the law of its own that allows more than the original period
    basis: Text | None = None


class Deemed(Frozen):
    """視為核准: what silence means when the limit passes, and the law that says so."""

    outcome: Literal["granted"]
    legal_basis: Text


class ServiceDefinition(Frozen):
    code: str = Field(pattern=r"^[A-Z]{2}[0-9]{2}$")
    title: Text
    #: one or two sentences in plain words
    summary: Text
    #: the everyday category in the catalogue; an internal service is in none
    group: str = ""
    #: opened by the counter itself or by a unit (施政計畫、進度填報): no citizen applies, and no letter goes out
    internal: bool = Field(default=False, strict=True)
    synonyms: tuple[str, ...] = ()
    owner: str
    handling_unit: Text
    form: str
    workflow: str
    period: Period
    correction: Literal["pause", "restart", "none"]
    correction_days: int = Field(default=15, ge=1, le=366, strict=True)
    extension: Extension | None = None
    deemed: Deemed | None = None
    fees: tuple[Fee, ...] = ()
    fee_note: Text | None = None
    #: asks for the township, where several offer the same and it is not the one in which one lives
    which_township: Text | None = None
    awards: tuple[Award, ...] = ()
    outcome: Text
    #: what kind of answer it gives: a decision that may be appealed against, or one of the others
    answer: Kind = DECISION
    #: 分層負責: 1 magistrate, 2 department head, 3 section head, 4 officer
    decision_level: int = Field(ge=1, le=4, strict=True)
    who_may_apply: tuple[Literal["citizen", "company", "organisation"], ...] = ()
    eligibility: tuple[Text, ...] = ()
    #: how long the form takes
    minutes: int = Field(ge=1, le=600, strict=True)
    #: whether a part of it can be done only at the counter
    in_person: bool = Field(strict=True)
    legal_basis: str
    #: how sure the basis, the limit and the fee are
    basis_status: str
    assurance: Literal["none", "phone", "strong", "originals"] = "none"
    parameters: Mapping[str, Any] = {}
    letters: Mapping[str, Letter] = {}
    #: 不服之救濟方法、期間及受理機關 (行政程序法 96 I 6)
    remedy: Text

    @property
    def key(self) -> str:
        return self.code

    @property
    def answers(self) -> Answer:
        """The words of its answer."""
        return ANSWERS[self.answer]

    def letter_name(self, kind: str) -> Text:
        """What a letter is called: its own title where it is a certificate, else by the kind of answer."""
        template = self.letters.get(kind)
        if template is not None and template.title is not None:
            return template.title
        said = self.answers.said(
            {"grant": "granted", "reject": "rejected", "return": "returned"}.get(kind, "")
        )
        return said.letter if said is not None else OTHER_LETTERS[kind]

    @property
    def to_verify(self) -> bool:
        """For whoever administers services, never for an applicant."""
        return TO_VERIFY in self.basis_status

    @property
    def confidential(self) -> bool:
        """Whether only those who work on a case, and the heads of its unit, may know of it."""
        return self.parameters.get(CONFIDENTIAL) is True

    @property
    def stages(self) -> tuple[str, ...]:
        """What the service switches on in its workflow (fee, inspection, committee, …)."""
        named = self.parameters.get("stages")
        return tuple(map(str, named)) if isinstance(named, list | tuple) else ()


def invited(workflow: WorkflowDefinition, service: ServiceDefinition) -> tuple[str, ...]:
    """Whom a session is announced to; by the pattern, unless the service says otherwise."""
    named = {**workflow.parameters, **service.parameters}.get(INVITED)
    return tuple(map(str, named)) if isinstance(named, list | tuple) else ()


# --- loading ---------------------------------------------------------------------------------------------


SERVICES, INTERNAL = (Path(__file__).parent / folder for folder in ("services", "internal"))


def read_all(root: Path | None = None) -> dict[str, dict[str, Any]]:
    """The factory services of the catalogue, by code, with what they share in place."""
    return read_joined(root or SERVICES, "code", "part", expand)


def read_internal() -> dict[str, dict[str, Any]]:
    """The factory services that no citizen applies for."""
    return read_joined(INTERNAL, "code", "part", expand)


def load(
    data: object,
    *,
    facts: Mapping[str, FactType] | None,
    workflow: WorkflowDefinition | None = None,
    units: frozenset[str] | None = None,
) -> ServiceDefinition:
    """The service, or DefinitionError with all problems.

    `facts` are the answers of its form and the fact catalogue. None: the names were checked when it was
    published, only their types are taken from the values that conditions compare them with.
    """
    problems: list[Problem] = []
    top = mapping(data, "", problems)
    types = {**LETTER_FACTS, **SESSION_FACTS, **(_types_in(top) if facts is None else facts)}
    params = mapping(top.get("parameters", {}), "parameters", problems)

    def guarded(part: object, path: str) -> object:
        return with_guard(part, path, facts=types, params=params, problems=problems)

    read = dict(top)
    if isinstance(top.get("fees"), list | tuple):
        read["fees"] = [guarded(fee, f"fees[{i}]") for i, fee in enumerate(top["fees"])]
    letters = mapping(top.get("letters", {}), "letters", problems)
    if letters:
        read["letters"] = {name: _guarded_letter(letter, name, guarded) for name, letter in letters.items()}
    service = build(ServiceDefinition, read, "", problems)
    if service is not None:
        quoted = None if facts is None else {**LETTER_FACTS, **facts}
        problems.extend(_check(service, quoted, units))
        problems.extend(_check_periods(service, workflow))
        problems.extend(_check_branches(service, workflow, units) if workflow is not None else ())
        problems.extend(_check_stages(service, workflow) if workflow is not None else ())
        problems.extend(_check_wording(service, workflow))
    if service is None or problems:
        raise DefinitionError(problems)
    return service


def _guarded_letter(data: object, name: str, guarded: Callable[[object, str], object]) -> object:
    if not isinstance(data, Mapping) or not isinstance(data.get("paragraphs"), list | tuple):
        return data
    path = f"letters.{name}.paragraphs"
    return {**data, "paragraphs": [guarded(p, f"{path}[{i}]") for i, p in enumerate(data["paragraphs"])]}


def _types_in(data: object) -> dict[str, FactType]:
    """The facts that conditions anywhere in the data ask for, by the type of what they are compared with."""
    if isinstance(data, list | tuple):
        return {name: type_ for part in data for name, type_ in _types_in(part).items()}
    if not isinstance(data, Mapping):
        return {}
    if isinstance(data.get("fact"), str):
        return {data["fact"]: _type_of(data.get("value"), data.get("op"))}
    return {name: type_ for part in data.values() for name, type_ in _types_in(part).items()}


def _type_of(value: object, op: object) -> FactType:
    if isinstance(value, list | tuple) and value:
        value = value[0]
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return "date"
    return "list" if op == "contains" else "text"


# --- checks ----------------------------------------------------------------------------------------------

_APPEALED = Text(
    zh="可以提起訴願的，是行政處分（answer: decision）",
    en="What can be appealed against is a decision (answer: decision)",
)
_WHO = Text(zh="必須寫明誰可以申請", en="Say who may apply")
_NO_LETTER = Text(zh="缺少這種公文的內容", en="What this letter says is missing")
_ONCE = Text(
    zh="展期以一次為限（行政程序法第51條第3項）",
    en="A period is extended once only (Administrative Procedure Act 51 III)",
)
_BRACES = Text(
    zh="大括號只能用來引用事實，例如 {answers.applicant_name}",
    en="Braces can only refer to facts, such as {answers.applicant_name}",
)


def _check(
    service: ServiceDefinition, facts: Mapping[str, FactType] | None, units: frozenset[str] | None
) -> Iterator[Problem]:
    if not service.internal:
        yield from _check_offered(service)
    if units is not None and service.owner not in units:
        yield unknown("owner", "unit", service.owner, units)
    county = service.parameters.get(COUNTY_UNIT)
    if units is not None and county is not None and str(county).partition("-")[0] not in units:
        yield unknown(f"parameters.{COUNTY_UNIT}", "unit", str(county), units)
    keys = [fee.key for fee in service.fees] + [award.key for award in service.awards]
    for i, fee in enumerate(service.fees):
        if keys.index(fee.key) < i:
            yield Problem(
                path=f"fees[{i}].key",
                message=say("費用「{key}」重複", "The fee “{key}” stands there twice", key=fee.key),
            )
        if fee.each is not None and facts is not None and fee.each not in facts:
            yield unknown(f"fees[{i}].each", "fact", fee.each, facts)
    for i, award in enumerate(service.awards):
        if keys.index(award.key) < len(service.fees) + i:
            said = say("金額「{key}」重複", "The amount “{key}” stands there twice", key=award.key)
            yield Problem(path=f"awards[{i}].key", message=said)
    days = service.parameters.get("payment_days", 1)
    if type(days) is not int or not 1 <= days <= MOST_PAYMENT_DAYS:
        said = say(
            "繳費天數必須是 1 至 {most} 的整數",
            "The days to pay must be a whole number from 1 to {most}",
            most=MOST_PAYMENT_DAYS,
        )
        yield Problem(path="parameters.payment_days", message=said)
    percent = service.parameters.get(SAMPLE_AUDIT, 0)
    if type(percent) is not int or not 0 <= percent <= 100:
        said = Text(
            zh="抽查比例必須是 0 至 100 的整數", en="The share of checks must be a whole number from 0 to 100"
        )
        yield Problem(path=f"parameters.{SAMPLE_AUDIT}", message=said)
    secret = service.parameters.get(CONFIDENTIAL, False)
    if type(secret) is not bool:
        said = say("「{value}」必須是 true 或 false", "“{value}” must be true or false", value=shown(secret))
        yield Problem(path=f"parameters.{CONFIDENTIAL}", message=said)
    yield from _check_invited(service, facts)
    for name, letter in service.letters.items():
        more = SESSION_FACTS if name == "invitation" else {}
        yield from _check_letter(name, letter, facts and {**facts, **more})
    yield from _check_text("remedy", service.remedy, {})
    if service.answer != DECISION and "訴願書" in service.remedy.zh:
        yield Problem(path="answer", message=_APPEALED)
    if "訴願書" in service.remedy.zh and seat_of(service.remedy.zh) is None:
        said = say(
            "必須寫明訴願管轄機關，在途期間依其所在地計算；可用的機關：{known}",
            "Name the agency that decides on appeals, since the time for transit depends on its seat: “{known}”",
            known=list(SEATS),
        )
        yield Problem(path="remedy.zh", message=said)
    if service.extension is not None:
        yield from _check_extension(service.extension, service.period)


def _check_offered(service: ServiceDefinition) -> Iterator[Problem]:
    """What a citizen finds in the catalogue says who may apply, and answers with its letters."""
    if service.group not in GROUPS:
        yield unknown("group", "category", service.group, GROUPS)
    if not service.who_may_apply:
        yield Problem(path="who_may_apply", message=_WHO)
    for name in LETTERS:
        if name not in service.letters:
            yield Problem(path=f"letters.{name}", message=_NO_LETTER)


def _check_invited(service: ServiceDefinition, facts: Mapping[str, FactType] | None) -> Iterator[Problem]:
    named = service.parameters.get(INVITED, [])
    if not isinstance(named, list | tuple):
        yield no_list(f"parameters.{INVITED}", named)
        return
    for i, question in enumerate(named):
        if question != APPLICANT and facts is not None and f"answers.{question}" not in facts:
            answers = [name.removeprefix("answers.") for name in facts if name.startswith("answers.")]
            yield unknown(
                f"parameters.{INVITED}[{i}]", "person to invite", str(question), [APPLICANT, *answers]
            )


def _check_extension(extension: Extension, period: Period) -> Iterator[Problem]:
    """行政程序法 51 III: 以一次為限, and not longer than the period itself unless another law says so."""
    if extension.times > 1:
        yield Problem(path="extension.times", message=_ONCE)
    longer = extension.at_most is not None and extension.at_most > period.period
    if longer and extension.basis is None:
        message = say(
            "展期不得超過原處理期間 {period}（行政程序法第51條第3項）；另有法律規定時，請寫明 basis",
            "An extension cannot be longer than the period itself, {period} (Administrative Procedure Act 51 III); "
            "where another law says otherwise, name it as basis",
            period=period.period,
        )
        yield Problem(path="extension.at_most", message=message)


def _check_letter(name: str, letter: Letter, facts: Mapping[str, FactType] | None) -> Iterator[Problem]:
    path = f"letters.{name}"
    if name not in (*LETTERS, *MORE_LETTERS):
        yield unknown(path, "letter", name, (*LETTERS, *MORE_LETTERS))
    always = {paragraph.part for paragraph in letter.paragraphs if paragraph.when is None}
    if name in DECISIONS and (absent := DECISION_PARTS - always):
        said = say(
            "行政處分必須記載事實、理由及法令依據，缺少 part: {parts} 的段落",
            "A decision must state facts, reasons and the law; paragraphs are missing for part: {parts}",
            parts=sorted(absent),
        )
        yield Problem(path=path, message=said)
    yield from _check_text(f"{path}.subject", letter.subject, facts)
    for i, paragraph in enumerate(letter.paragraphs):
        yield from _check_text(f"{path}.paragraphs[{i}].text", paragraph.text, facts)


def _check_text(path: str, text: Text, facts: Mapping[str, FactType] | None) -> Iterator[Problem]:
    """Placeholders name known facts, and no brace is left over."""
    for where, words in ((f"{path}.zh", text.zh), (f"{path}.en", text.en)):
        for name in _PLACEHOLDER.findall(words):
            if facts is not None and name not in facts:
                yield unknown(where, "fact", name, facts)
        if {"{", "}"} & set(_PLACEHOLDER.sub("", words)):
            yield Problem(path=where, message=_BRACES)


def _check_branches(
    service: ServiceDefinition, workflow: WorkflowDefinition, known: frozenset[str] | None
) -> Iterator[Problem]:
    """Every list of units that the workflow sends tasks to is long enough, and its units exist.

    Where silence means consent, the workflow has a way to it.
    """
    ways = [found for state in workflow.states.values() if (found := state.transition(DEEMED))]
    if service.deemed is not None and not any(way.by == "system" for way in ways):
        message = say(
            "流程「{workflow}」沒有系統的「{name}」轉移，逾期不能視為核准",
            "The workflow “{workflow}” has no transition “{name}” of the system, so silence cannot mean consent",
            workflow=workflow.title,
            name=DEEMED,
        )
        yield Problem(path="deemed", message=message)
    params = {**workflow.parameters, **service.parameters}
    for task in (task for state in workflow.states.values() for task in state.tasks if task.each):
        path, units = f"parameters.{task.each}", params.get(task.each or "")
        count = len(units) if isinstance(units, list | tuple) else 0
        if not 1 <= task.needed(count) <= count:
            message = say(
                "流程「{workflow}」的「{task}」需要這份單位清單，但單位不足",
                "“{task}” of the workflow “{workflow}” needs this list of units, and it has too few",
                workflow=workflow.title,
                task=task.label,
            )
            yield Problem(path=path, message=message)
        elif isinstance(units, list | tuple):
            for i, unit in repeated(units):
                yield unit_twice(f"{path}[{i}]", unit)
            for i, unit in enumerate(units):
                if known is not None and unit not in known:
                    yield unknown(f"{path}[{i}]", "unit", str(unit), known)


def _check_periods(service: ServiceDefinition, workflow: WorkflowDefinition | None) -> list[Problem]:
    """`parameters.periods` gives tasks of the workflow limits of the service's own."""
    problems: list[Problem] = []
    named = mapping(service.parameters.get("periods", {}), "parameters.periods", problems)
    tasks = {task.key for state in workflow.states.values() for task in state.tasks} if workflow else None
    for key, period in named.items():
        build(Period, period, f"parameters.periods.{key}", problems)
        if tasks is not None and key not in tasks:
            problems.append(unknown(f"parameters.periods.{key}", "task", key, tasks))
    return problems


def _check_wording(service: ServiceDefinition, workflow: WorkflowDefinition | None) -> list[Problem]:
    """`parameters.wording` speaks of what the workflow has."""
    problems: list[Problem] = []
    said = build(Wording, service.parameters.get(WORDING, {}), f"parameters.{WORDING}", problems)
    if said is not None and workflow is not None:
        problems.extend(mistakes(said, workflow))
    return problems


def _check_stages(service: ServiceDefinition, workflow: WorkflowDefinition) -> Iterator[Problem]:
    """A stage is switched on only where the workflow has it."""
    named = service.parameters.get("stages", [])
    if not isinstance(named, list | tuple):
        yield no_list("parameters.stages", named)
    for i, stage in enumerate(service.stages):
        if stage not in workflow.stages:
            yield unknown(f"parameters.stages[{i}]", "stage", stage, workflow.stages)
