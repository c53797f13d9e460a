"""The application on paper: what its form asks, blank or with answers, as plain values for webapp.letters.

The questions stand in the order of the screen, so that a clerk types a paper in from top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

import forms.answers
from forms.answers import SummaryRow
from forms.builder import AnswerForm
from forms.circumstances import circumstances
from forms.field_types import totals_of
from forms.model import Field, FormDefinition, Section
from rules.conditions import Condition, show_number
from rules.values import Text
from webapp.county_places import places_of
from webapp.letters import contents as papers
from webapp.models import Document
from webapp.queries import answering, definitions
from webapp.queries.org import UnitInfo, chart
from webapp.services import routing
from workflows.service import ServiceDefinition

#: of one answer; a longer list is chosen from on screen, and written on paper
MOST_OPTIONS = 12
#: empty rows of a table, unless the form asks for more
EMPTY_ROWS = 5

#: what stands after the time that a service takes, by what a correction does to it
AFTER_CORRECTION: Mapping[str, Text] = {
    "pause": Text(zh="（補正期間不計入）", en=", without the time for corrections"),
    "restart": Text(zh="（補正後重新起算）", en=", starting anew after a correction"),
}
#: the question by which somebody keeps their name to themselves
UNNAMED = "anonymous"

OPTIONAL = Text(zh="（選填）", en=" (optional)")


def title(form: FormDefinition) -> str:
    """申請書 for an application, 表 for a report, a booking or a filing; a 訴願書 is called so already."""
    named = form.title.zh
    if named.endswith("書"):
        return named
    return f"{named}書" if named.endswith("申請") else f"{named}表"


def agency(unit: UnitInfo, county: str) -> str:
    """A township is an agency of its own: it takes in, decides and signs what it answers for (行政程序法 2)."""
    return next((above.zh for above in chart().upwards(unit.id) if above.kind == "township"), county)


def limit(service: ServiceDefinition) -> Text:
    """20 個工作天."""
    n = service.period.period
    words = {
        "WD": Text(zh=f"{n} 個工作天", en=f"{n} working days"),
        "M-shift": Text(zh=f"{n} 個月", en=f"{n} months"),
        "HOUR": Text(zh=f"{n} 小時", en=f"{n} hours"),
    }
    return words.get(service.period.kind) or Text(zh=f"{n} 日", en=f"{n} days")


def edition(service: ServiceDefinition, form_revision: int) -> str:
    """What the footer says: which service, which version of its form."""
    key, number = definitions.name_of(form_revision)
    return f"{service.code}　表單 {key} 第 {number} 版"


# --- with answers ----------------------------------------------------------------------------------------


def filled(
    form: FormDefinition, answers: Mapping[str, Any], typed: AnswerForm | None = None
) -> tuple[papers.Section, ...]:
    """The questions that these answers call for; files have a list of their own. Of a draft, what was `typed` stands
    in for an answer that is not valid yet, so that nothing is lost on paper."""
    sections = (
        papers.Section(
            part.section.title.zh,
            tuple(
                _to_correct(row, typed) or _answered(row, answers.get(row.field.key))
                for row in part.rows
                if row.field.type != "file"
            ),
        )
        for part in forms.answers.summary(form, answers, "zh")
    )
    return tuple(section for section in sections if section.rows)


def attached(
    form: FormDefinition, answers: Mapping[str, Any], uploads: Iterable[Document]
) -> tuple[papers.Attachment, ...]:
    """Every document that these answers call for, with the names of the files that were handed in."""
    names = {document.public_id: document.filename for document in uploads}
    asked = (row.field for part in forms.answers.summary(form, answers, "zh") for row in part.rows)
    return tuple(
        papers.Attachment(
            field.label.zh, "\n".join(names[each] for each in answers.get(field.key) or () if each in names)
        )
        for field in asked
        if field.type == "file"
    )


def _to_correct(row: SummaryRow, typed: AnswerForm | None) -> papers.Row | None:
    if typed is None or row.field.type == "agreement" or not typed[row.field.key].errors:
        return None
    written = "\n".join(typed[row.field.key].written)
    return papers.Row(row.label, f"{written}（待更正）") if written else None


def _answered(row: SummaryRow, value: Any) -> papers.Row | papers.Grid:
    """A question as paper asks it: boxes to tick, a table, or a frame for every character of a number."""
    field = row.field
    if field.type == "agreement":
        return papers.Row(row.label, choices=(papers.Choice(row.label, bool(value)),), statement=True)
    if options := _options(field):
        given = ("yes" if value else "no") if isinstance(value, bool) else value
        chosen = set(given if isinstance(given, list) else [given])
        ticks = tuple(papers.Choice(label.zh, option in chosen) for option, label in options.items())
        return papers.Row(row.label, choices=ticks)
    if field.columns and value:
        cells = tuple(
            tuple(forms.answers.display(column, line.get(column.key)) for column in field.columns)
            for line in value
        ) + _sums(field, value)
        return papers.Grid(row.label, tuple(column.label.zh for column in field.columns), cells)
    places = "、".join(place.zh for place in places_of(row.points))
    text = f"{row.text}（{places}）" if places else row.text
    frames = field.kind.blank(field).frames
    return papers.Row(row.label, text, frames=frames if len(text) <= frames else 0)


def _options(field: Field) -> Mapping[str, Text]:
    """What is printed to be ticked; a single choice from a long list, or from one of the day, is written."""
    options = field.kind.choices(field)
    return {} if field.options_from or (len(options) > MOST_OPTIONS and not field.kind.many) else options


def _sums(field: Field, lines: list[dict[str, Any]]) -> tuple[tuple[str, ...], ...]:
    """The last line of a table that asks for totals; the word stands in the first column without a sum."""
    totals = totals_of(field, lines, "zh")
    return (_total_line(field, totals),) if totals else ()


def _total_line(field: Field, totals: Mapping[str, str]) -> tuple[str, ...]:
    free = next((column.key for column in field.columns if column.key not in field.totals), "")
    return tuple("合計" if column.key == free else totals.get(column.key, "") for column in field.columns)


# --- blank -----------------------------------------------------------------------------------------------


def blank(
    service: ServiceDefinition, form_revision: int, unit: UnitInfo, lang: str, *, county: str, url: str
) -> papers.ApplicationForm:
    """The form to fill in by hand. With `lang` en, the English stands small beside the Chinese."""
    form = definitions.form(form_revision)
    asked = _Asked(form, lang)
    sections = (asked.section(section) for section in form.sections)
    return papers.ApplicationForm(
        agency_name=agency(unit, county),
        title=title(form),
        small=asked.small(form.title),
        edition=edition(service, form_revision),
        blank=True,
        sections=tuple(section for section in sections if section.rows),
        has_agent=answering.agent_keys(form)[0] in form,
        may_be_unnamed=UNNAMED in form,
        legal_basis=service.legal_basis,
        attachments=tuple(asked.document(field) for field in form.file_fields),
        guide=tuple(_guide(service, form, unit, asked, url)),
    )


class _Asked:
    """The questions of a form, with the English beside them where it was asked for."""

    def __init__(self, form: FormDefinition, lang: str) -> None:
        self.form, self.lang = form, lang

    def small(self, text: Text | None) -> str:
        return text.en if text is not None and self.lang == "en" else ""

    def lines(self, text: Text | None) -> tuple[str, ...]:
        return tuple(filter(None, (text.zh, self.small(text)))) if text is not None else ()

    def when(self, condition: Condition, zh: str, en: str) -> Text:
        """The sentence of a condition, put into one that says what to do."""
        said = {lang: circumstances([condition], self.form, lang) for lang in ("zh", "en")}
        return Text(zh=zh.format(said["zh"]), en=en.format(said["en"]))

    def section(self, section: Section) -> papers.Section:
        notes = self.lines(section.description)
        if section.when is not None:
            notes = (*self.lines(self.when(section.when, "{}時，填寫本段。", "Only if {}.")), *notes)
        return papers.Section(
            section.title.zh, tuple(self.rows(section)), small=self.small(section.title), notes=notes
        )

    def rows(self, section: Section) -> Iterator[papers.Row | papers.Grid | papers.Heading]:
        """Neighbours that are asked under the same condition stand below one sentence."""
        written = (field for field in section.fields if field.type != "file")
        for condition, together in groupby(written, key=lambda field: field.when):
            fields = list(together)
            if condition is None or len(fields) == 1:
                yield from (self.row(field, field.when) for field in fields)
                continue
            said = self.when(
                condition, f"{{}}時，填寫以下 {len(fields)} 項", f"The next {len(fields)} only if {{}}"
            )
            yield papers.Heading(said.zh, self.small(said))
            yield from (self.row(field, None) for field in fields)

    def row(self, field: Field, condition: Condition | None) -> papers.Row | papers.Grid:
        notes = self.conditions(field, condition, "填寫", "Fill this in only if {}.")
        label, small = self.label(field)
        if field.columns:
            return self.grid(field, label, small, notes)
        label = label.replace(OPTIONAL.zh, f"\n{OPTIONAL.zh}")
        if field.type == "agreement":
            notes = (*notes, *self.lines(field.hint))
            agreed = (papers.Choice(label, chosen=False),)
            return papers.Row(label, choices=agreed, small=small, notes=notes, statement=True)
        space = field.kind.blank(field)
        if field.sentence is not None:
            label, small = f"{label}：{field.sentence.zh}", small and f"{small}: {field.sentence.en}"
            return papers.Row(label, space.text, small=small, notes=notes, statement=True)
        options = _options(field)
        if field.hint is not None and (space.wide or not options):
            notes = (*notes, *self.lines(field.hint))
        if field.kind.many and options:
            notes = (*self.lines(Text(zh="（可複選）", en="Tick all that apply.")), *notes)
        return papers.Row(
            label,
            space.text,
            choices=tuple(papers.Choice(o.zh, chosen=False, small=self.small(o)) for o in options.values()),
            frames=space.frames,
            small=small,
            notes=notes,
            lines=space.lines,
            wide=space.wide,
        )

    def conditions(self, field: Field, condition: Condition | None, verb: str, en: str) -> tuple[str, ...]:
        notes: tuple[str, ...] = ()
        if condition is not None:
            notes = self.lines(self.when(condition, f"{{}}時{verb}。", en))
        if field.required_when is not None:
            notes = (*notes, *self.lines(self.when(field.required_when, "{}時必填。", "Required if {}.")))
        return notes

    def label(self, field: Field) -> tuple[str, str]:
        if not field.optional:
            return field.label.zh, self.small(field.label)
        small = self.small(field.label)
        return field.label.zh + OPTIONAL.zh, small and small + OPTIONAL.en

    def grid(self, field: Field, label: str, small: str, notes: tuple[str, ...]) -> papers.Grid:
        """A few empty rows; who needs more of them adds a sheet."""
        most = field.max_rows or EMPTY_ROWS
        count = min(max(field.min_rows or 0, EMPTY_ROWS), most)
        more = Text(
            zh=f"最多 {most} 列；寫不下時請另附紙張。",
            en=f"At most {most} rows; add a sheet if you need more.",
        )
        if most > count:
            notes = (*notes, *self.lines(more))
        rows: tuple[tuple[str, ...], ...] = (tuple(map(self.cell, field.columns)),) * count
        if field.totals:
            rows = (*rows, _total_line(field, {}))
        return papers.Grid(
            label,
            tuple(self.column(column) for column in field.columns),
            rows,
            small=small,
            notes=(*self.lines(field.hint), *notes),
            small_columns=tuple(self.label(column)[1] for column in field.columns)
            if self.lang == "en"
            else (),
        )

    def column(self, column: Field) -> str:
        named = self.label(column)[0]
        return f"{named}（{column.unit.zh}）" if column.unit else named

    def cell(self, column: Field) -> str:
        if options := _options(column):
            return " ".join(f"□{option.zh}" for option in options.values())
        return "　　年　　月　　日" if column.kind.fact == "date" else ""

    def document(self, field: Field) -> papers.Attachment:
        section = self.form.section_of(field.key)
        notes = [
            line
            for condition in (section.when, field.when)
            if condition is not None
            for line in self.lines(self.when(condition, "{}時檢附。", "Only if {}."))
        ]
        if field.required_when is not None:
            notes += self.lines(self.when(field.required_when, "{}時必附。", "Required if {}."))
        label, small = self.label(field)
        return papers.Attachment(label, note="\n".join([*notes, *self.lines(field.hint)]), small=small)


def _guide(
    service: ServiceDefinition, form: FormDefinition, unit: UnitInfo, asked: _Asked, url: str
) -> Iterator[papers.Row]:
    def row(label: Text, *texts: Text) -> papers.Row:
        written = "\n".join(line for text in texts for line in asked.lines(text))
        return papers.Row(label.zh, written, small=asked.small(label))

    handling = routing.handling_unit(service)
    where = [service.handling_unit]
    if unit.zh not in service.handling_unit.zh:
        where.insert(0, Text(zh=unit.zh, en=unit.en))
    contact = [
        Text(zh=line)
        for line in (handling.address or unit.address, handling.phone and f"電話：{handling.phone}")
        if line
    ]
    yield row(Text(zh="送件單位", en="Hand in to"), *where, *contact)
    ways = [Text(zh="親自送交或郵寄；也可以線上申辦：", en="In person or by post, or online:"), Text(zh=url)]
    if service.in_person:
        ways.append(Text(zh="本項須到場一次。", en="You have to come once."))
    yield row(Text(zh="辦理方式", en="How"), *ways)
    time = limit(service)
    if after := AFTER_CORRECTION.get(service.correction):
        time = Text(zh=f"{time.zh}{after.zh}", en=f"{time.en}{after.en}")
    yield row(Text(zh="辦理期限", en="Time"), time)
    yield row(Text(zh="費用", en="Fee"), *(_fees(service, form) or [Text(zh="免費", en="Free of charge")]))
    if service.eligibility:
        yield row(Text(zh="申請資格", en="Who may apply"), *service.eligibility)


def _fees(service: ServiceDefinition, form: FormDefinition) -> list[Text]:
    lines = []
    for fee in service.fees:
        amount = Text(zh="審查後通知", en="fixed during the review")
        if fee.amount is not None:
            amount = Text(zh=f"新臺幣 {show_number(fee.amount)} 元", en=f"NT$ {show_number(fee.amount)}")
        line = Text(zh=f"{fee.label.zh}：{amount.zh}", en=f"{fee.label.in_('en')}: {amount.en}")
        if fee.when is not None:
            said = {lang: circumstances([fee.when], form, lang) for lang in ("zh", "en")}
            line = Text(zh=f"{line.zh}（限：{said['zh']}）", en=f"{line.en} (only if {said['en']})")
        if fee.note is not None:
            line = Text(zh=f"{line.zh}；{fee.note.zh}", en=f"{line.en}; {fee.note.in_('en')}")
        lines.append(line)
    return [*lines, *([service.fee_note] if service.fee_note else [])]


def printed(paper: papers.ApplicationForm, at: datetime) -> papers.ApplicationForm:
    """With the moment of the printing, which is no part of what stands in it."""
    return replace(paper, printed_at=at)
