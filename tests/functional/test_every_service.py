"""Every service of the catalogue over HTTP: from its start page to the letter that grants it, and with every field
wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

import workflows.service
from forms.model import FormDefinition
from tests import filling, granting
from tests.conftest import TEMPLATE, Copies, remember
from tests.databases import Databases
from tests.journeys import NOW, citizen
from tests.officers import signed_in
from tests.visitor import Visitor, pdf_text
from tests.walks import RECEIVED, REVIEW, fill_in_the_rest, number_on
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Case, Effect, Party
from webapp.moments import taipei_day
from webapp.queries import answering, definitions
from webapp.services import decisions, parties, steps

SERVICES = workflows.service.read_all()
#: one of every pattern is walked always, the others in the full run
SAMPLE = frozenset({body["workflow"]: code for code, body in SERVICES.items()}.values())
TODAY = taipei_day(NOW)
APPLICANT = "chen.meiling"
#: printed by the worker in earnest
PAPERS = ("receipt", "letter")
PLACEHOLDER = re.compile(r"\{[a-z_.]*\}?|（未填）|\b(?:answers|service|decision|case)\.[a-z_]+")
ADDRESS = re.compile(r"https?://\S+|\S+@\S+")
WORD = re.compile(r"[a-z][a-z_0-9]*_[a-z_0-9]+|\b[a-z]{3,}\b")


def always(codes: Iterable[str]) -> list[Any]:
    return [code if code in SAMPLE else pytest.param(code, marks=pytest.mark.full) for code in codes]


@pytest.fixture(scope="module", autouse=True)
def _one_county(app: Flask, databases: Databases, first_copies: Copies) -> Iterator[None]:
    """All walks share the county, as citizens do; what they wrote is gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(app.config, "CLOCK", lambda: NOW)
        yield
    databases.restore("main", TEMPLATE)
    remember(first_copies)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return signed_in(app, APPLICANT)


@pytest.mark.parametrize("code", always(SERVICES))
def test_from_the_start_page_to_the_grant(
    app: Flask, visitor: Visitor, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        form = form_of(code)
        who = definitions.current_service(code, TODAY).who_may_apply
        raw = filling.valid(form.fields, TODAY, answering.lists_of(form, code, NOW, who))
    begin(visitor, code)
    fill_in_the_rest(visitor, raw)
    assert visitor.page.heading == REVIEW and visitor.page.status == 200
    page = visitor.press("送出申請")
    assert page.heading.startswith(RECEIVED), page
    number = number_on(page)
    assert number.startswith(f"{code}-114-")
    with app.app_context():
        case = db.session.scalars(select(Case).where(Case.number == number)).one()
        ended = granting.grant(case, citizen(APPLICANT), NOW)
        ctx = steps.context(case)
        assert (case.status, ctx.workflow.state(case.state).outcome) == ("closed", "granted")
        assert case.state != "missed"
        pid, service = case.public_id, ctx.service
        name = name_of_applicant(case)
        assert bool(name) == any(raw.get(key) for key in (*parties.PEOPLE, *answering.BODIES))
        print_papers(case)
    monkeypatch.setitem(app.config, "CLOCK", lambda: ended)
    visitor = signed_in(app, APPLICANT)
    letter, receipt = (
        pdf_text(visitor.get(f"/applications/{pid}/{paper}.pdf").content) for paper in ("letter", "receipt")
    )
    shown = visitor.get(f"/applications/{pid}").text
    assert number in shown and service.title.zh in shown
    granted = service.letters["grant"]
    said = [
        number,
        name or decisions.UNNAMED,
        service.remedy.zh,
        granted.title.zh if granted.title else "",
        *fixed(granted.subject.zh),
    ]
    assert [words for words in said if flat(words) not in flat(letter)] == [], letter
    assert [words for words in (number, service.title.zh) if flat(words) not in flat(receipt)] == [], receipt
    assert {text: raw_words(form, text) for text in (letter, receipt, shown) if raw_words(form, text)} == {}


@pytest.mark.parametrize(
    "code", always({service["form"]: code for code, service in SERVICES.items()}.values())
)
def test_with_every_field_wrong(app: Flask, visitor: Visitor, code: str) -> None:
    with app.app_context():
        form = form_of(code)
    begin(visitor, code)
    folder = visitor.page.path.rpartition("/")[0]
    for section in (section for section in form.sections if section.when is None):
        page = visitor.get(f"{folder}/{section.key}")
        sent = page.form_with("version")
        wrong = {name: texts for name, texts in filling.wrong(section.fields).items() if name in sent.names}
        uploads = {str(tag["name"]) for tag in sent.tag.select("input[type=file]")}
        files = {name: [("program.exe", b"MZ no document")] for name in uploads}
        typed = {name: texts for name, texts in wrong.items() if name not in uploads}
        page = visitor.press("儲存並繼續", smuggle=typed, files=files)
        assert page.status == 422, page
        refused = {name.partition("-")[0] for name in [*typed, *uploads]}
        blamed = {
            str(link["href"]).removeprefix("#").removeprefix("field-")
            for link in page.soup.select("[data-error-summary] a")
        }
        for field in section.fields:
            if field.key in refused and field.when is None:
                assert page.soup.select(f"#field-{field.key} .govuk-error-message"), (field.key, page)
                assert field.key in {key.partition("-")[0] for key in blamed}, (field.key, blamed)
        texts = {tag["name"] for tag in sent.inputs if tag.name == "textarea" or tag.get("type") == "text"}
        kept = {name: page.form_with("version").values.getlist(name) for name in texts & typed.keys()}
        assert kept == {name: typed[name] for name in kept}


def begin(visitor: Visitor, code: str) -> None:
    page = visitor.get(f"/services/{code}")
    assert page.status == 200 and SERVICES[code]["title"]["zh"] == page.heading, page
    visitor.press("開始申請")
    assert visitor.page.status == 200 and visitor.page.path.startswith("/apply/"), visitor.page


def form_of(code: str) -> FormDefinition:
    return definitions.current_form(definitions.current_service(code, TODAY).form, TODAY)


def name_of_applicant(case: Case) -> str:
    mine = select(Party.name).where(Party.case_id == case.id, Party.role != "representative")
    return db.session.scalars(mine).first() or ""


def print_papers(case: Case) -> None:
    """What the worker would print in a moment."""
    for order in db.session.scalars(
        select(Effect.id)
        .where(Effect.case_id == case.id, Effect.kind.in_(PAPERS), Effect.state == "pending")
        .order_by(Effect.id)
    ).all():
        perform_effect(order)


def flat(text: str) -> str:
    return "".join(text.split())


def fixed(text: str) -> list[str]:
    """What stands in a text whatever it quotes, without the marks that a quotation may take away."""
    return [piece.strip("。，；（）") for piece in re.split(r"\{[a-z_.0-9]+\}", text)]


@cache
def raw_names(form: FormDefinition) -> frozenset[str]:
    """Keys of fields and of options: what no reader should ever see."""
    fields = [*form.fields, *(column for field in form.fields for column in field.columns)]
    fields = [field for field in fields if field.type != "file"]  # their names are those of the files sent
    options = {option.value for field in fields for option in field.options}
    return frozenset({field.key for field in fields} | options | {"None", "True", "False"})


def raw_words(form: FormDefinition, text: str) -> list[str]:
    words = WORD.findall(ADDRESS.sub(" ", text))
    return [*PLACEHOLDER.findall(text), *(word for word in words if word in raw_names(form))]
