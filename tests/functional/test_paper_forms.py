"""The form on paper: blank for everybody, a draft for whoever writes it, and what is printed of each."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

import workflows.service
from forms.model import Field, FormDefinition
from tests import filling, form_fixtures, journeys
from tests.journeys import NOW, citizen
from tests.officers import at, made, signed_in
from tests.visitor import in_process, pdf_text
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.letters import documents as papers
from webapp.letters.contents import ApplicationForm, Grid, Heading, Row
from webapp.letters.wording import numeral
from webapp.models import BlankForm, Document, Draft, Effect, Unit
from webapp.moments import taipei_day
from webapp.queries import answering, definitions
from webapp.queries.generations import bump
from webapp.services import application_paper, applications, documents, drafts, paper_forms
from webapp.uow import unit_of_work

SERVICES = workflows.service.read_all()
#: one with a signature, and one of a township with a table and a long list
ALWAYS = {"AD04", "JC02"}
HOSTILE = "</td><script>alert(1)</script>&lt;b&gt;"
ADDRESS = "/services/EC09/form.pdf"


def sampled(codes: set[str]) -> list[object]:
    return [code if code in codes else pytest.param(code, marks=pytest.mark.full) for code in SERVICES]


def flat(text: str) -> str:
    return "".join(text.split())


def absent(words: list[str], text: str) -> list[str]:
    return [each for each in words if flat(each) not in text]


@pytest.fixture
def undone(app: Flask) -> Iterator[None]:
    """What is printed here is flushed and never committed."""
    with app.app_context():
        yield
        db.session.rollback()


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is complained of."""
    caplog.set_level(logging.WARNING)
    yield
    assert caplog.records == []


# --- what is printed --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sampled(ALWAYS))
def test_the_blank_form_of_every_service_asks_all_that_the_screen_asks(
    app: Flask, undone: None, quiet: None, code: str
) -> None:
    paper_forms.print_blank(code, "zh", NOW, app.config)
    kept = db.session.get_one(BlankForm, (code, "zh"))
    text = flat(pdf_text(kept.pdf))
    service, form = of(code)
    assert absent([service.handling_unit.zh, service.legal_basis, *asked(form, "zh")], text) == []
    assert not {"■", "〓"} & set(text) and not re.search(r"(answers|applicant|case|service)\.[a-z]", text)
    assert f"第{kept.pages}頁，共{kept.pages}頁" in text
    titles = [flat(section.title.zh) for section in form.sections if writes(section.fields)]
    in_order = [text.index(f"{numeral(n)}、{title}") for n, title in enumerate(titles, 1)]
    assert in_order == sorted(in_order)


@pytest.mark.parametrize("code", sampled(set()))
def test_in_english_both_languages_stand_on_it(app: Flask, undone: None, quiet: None, code: str) -> None:
    paper_forms.print_blank(code, "en", NOW, app.config)
    text = flat(pdf_text(db.session.get_one(BlankForm, (code, "en")).pdf))
    form = of(code)[1]
    assert absent([*asked(form, "zh"), *asked(form, "en"), form.title.en], text) == []


@pytest.mark.parametrize("code", sampled({"EC01"}))
def test_a_filled_draft_of_every_service_shows_every_answer(
    app: Flask, undone: None, quiet: None, code: str
) -> None:
    form = of(code)[1]
    raw = filling.valid(form.fields, taipei_day(NOW), answering.lists_of(form, code, NOW))
    draft = drafts.start(citizen(), code, NOW)
    draft.raw = {name: texts for name, texts in raw.items() if form.field(name.split("-")[0]).type != "file"}
    paper_forms.print_draft(draft.public_id, NOW, app.config)
    [kept] = db.session.scalars(select(Document).where(Document.draft_key == draft.public_id))
    text = flat(pdf_text(documents.content_of(kept)))
    answers = answering.clean(form, draft.raw, NOW, service_code=code, lang="zh").answers
    shown = [
        word
        for section in application_paper.filled(form, answers)
        for row in section.rows
        for word in (words_of(row))
    ]
    assert len(shown) > len(answers) and absent([*shown, "草稿，尚未送出"], text) == []
    assert "〓" not in text


def test_a_draft_keeps_on_paper_what_is_typed_and_not_valid_yet(app: Flask, undone: None) -> None:
    draft = drafts.start(citizen(), "EC09", NOW)
    draft.raw = {"phone": ["電話壞了"], "address-township": ["JC"], "applicant_name": ["陳美玲"]}
    sections = paper_forms._draft(draft, NOW, app.config).sections
    said = {row.label: row.value for part in sections for row in part.rows if isinstance(row, Row)}
    assert said["聯絡電話"] == "電話壞了（待更正）"
    assert said["通訊地址"] == "金城鎮（待更正）"
    assert [value for value in said.values() if "陳美玲" in value] == ["陳美玲"]
    assert said["電子郵件"] == ""


def test_a_mark_on_the_map_names_its_village_on_paper(app: Flask, undone: None) -> None:
    draft = drafts.start(citizen(), "PW02", NOW)
    draft.raw = {"point-description": ["鄉道旁的路燈"], "point-point": ["24.46, 118.399"]}
    sections = paper_forms._draft(draft, NOW, app.config).sections
    (said,) = (row.value for part in sections for row in part.rows if "鄉道旁" in getattr(row, "value", ""))
    assert said.endswith("（金沙鎮何斗里）")


@pytest.mark.parametrize(
    ("code", "name", "signs"),
    [
        ("EC09", "agent_name", True),
        ("SW01", "representative", True),
        ("EC03", "representative", False),  # who stands for the association
        ("PW02", "reporter_name", False),
    ],
)
def test_an_agent_signs_whatever_the_form_calls_them(
    app: Flask, undone: None, code: str, name: str, signs: bool
) -> None:
    blank = paper_forms._blank(code, "zh", NOW, app.config)
    assert blank.has_agent == (code != "PW02")
    draft = drafts.start(citizen(), code, NOW)
    draft.raw = {"filed_by": ["agent"], name: ["林美玉"]}
    assert paper_forms._draft(draft, NOW, app.config).agent == ("林美玉" if signs else "")


def test_whoever_stays_unnamed_signs_nothing(app: Flask, undone: None) -> None:
    blank = paper_forms._blank("ET01", "zh", NOW, app.config)
    assert "匿名者免簽" in flat(pdf_text(papers.application(blank)))
    draft = drafts.start(citizen(), "ET01", NOW)
    for answer, said in (("yes", "匿名提出，免簽名"), ("no", "（簽名或蓋章）")):
        draft.raw = {"anonymous": [answer]}
        text = flat(pdf_text(papers.application(paper_forms._draft(draft, NOW, app.config))))
        assert said in text and ("簽名或蓋章" in text) == (answer == "no")


def test_every_kind_of_field_has_its_room(quiet: None) -> None:
    sections = []
    for name in form_fixtures.NAMES:
        asks = application_paper._Asked(form_fixtures.form_named(name), "en")
        sections += [asks.section(section) for section in asks.form.sections]
    paper = ApplicationForm(
        agency_name="金門縣政府", title="各種欄位", edition="測試", blank=True, sections=tuple(sections)
    )
    text = flat(pdf_text(papers.application(paper)))
    for words in (
        "民國年月日", "□是Yes□否No", "新臺幣元", "銀行代碼＿＿＿＿帳號", "村（里）", "座標（知道時填寫）",
        "（可複選）", "（選填）", "列；寫不下時請另附紙張。", "（免填，由機關計算）", "簽名或蓋章：", "時填寫",
    ):  # fmt: skip
        assert words in text, words


def test_what_people_wrote_comes_out_whole(app: Flask, undone: None) -> None:
    rows = {f"{n}-name": [f"王𡍼堃{n}"] for n in range(50)} | {f"{n}-id": ["A123456789"] for n in range(50)}
    draft = drafts.start(citizen(), "EC01", NOW)
    draft.raw = {
        "applicant_type": ["person"],
        "applicant_name": ["王𡍼堃" + HOSTILE],
        "building_use": ["W" * 100],
        **{f"owner_co-{name}": texts for name, texts in rows.items()},
    }
    paper_forms.print_draft(draft.public_id, NOW, app.config)
    [kept] = db.session.scalars(select(Document).where(Document.draft_key == draft.public_id))
    text = flat(pdf_text(documents.content_of(kept)))
    assert absent(["王𡍼堃" + HOSTILE, "W" * 100, *(f"王𡍼堃{n}" for n in range(50))], text) == []


def test_conditions_are_said_once_for_the_questions_below_them() -> None:
    asks = application_paper._Asked(form_fixtures.factory_form("building_permit"), "zh")
    rows = [row for section in asks.form.sections for row in asks.section(section).rows]
    headings = [row.label for row in rows if isinstance(row, Heading)]
    assert "「申請的執照」選「建造執照」時，填寫以下 4 項" in headings
    work = next(row for row in rows if row.label == "工程類別")
    assert "「申請的執照」選「建造執照」時填寫。" in work.notes


def of(code: str) -> tuple[workflows.service.ServiceDefinition, FormDefinition]:
    service = definitions.current_service(code, taipei_day(NOW))
    return service, definitions.current_form(service.form, taipei_day(NOW))


def asked(form: FormDefinition, lang: str) -> list[str]:
    fields = [field for top in form.fields for field in (top, *top.columns)]
    options = [
        option.label for field in fields if application_paper._options(field) for option in field.options
    ]
    titles = [section.title for section in form.sections if writes(section.fields)]
    return [text.in_(lang) for text in (*(field.label for field in fields), *options, *titles)]


def writes(fields: tuple[Field, ...]) -> bool:
    return any(field.type != "file" for field in fields)


def words_of(row: Row | Grid | Heading) -> list[str]:
    if isinstance(row, Grid):
        return [row.label, *row.columns, *(cell for line in row.rows for cell in line)]
    if isinstance(row, Row):
        ticks = [("■" if each.chosen else "□") + each.label for each in row.choices]
        return [row.label, row.value, *ticks]
    return [row.label]


# --- blank forms over HTTP --------------------------------------------------------------------------------


@pytest.fixture
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at(app, monkeypatch, NOW)


def carry_out(app: Flask) -> None:
    def perform() -> None:
        pending = (
            select(Effect.id)
            .where(Effect.kind.in_(("blank_form", "draft_form")), Effect.state == "pending")
            .order_by(Effect.id)
        )
        for order in db.session.scalars(pending).all():
            perform_effect(order)

    made(app, perform)


def change(app: Flask, do: Callable[[], object]) -> None:
    def write() -> None:
        with unit_of_work():
            do()

    made(app, write)


@pytest.mark.usefixtures("_clock")
def test_anybody_gets_the_blank_form_from_the_start_page(app: Flask) -> None:
    visitor = in_process(app.test_client())
    page = visitor.get("/services/EC09")
    assert "2 頁" not in page.text
    waiting = visitor.follow("下載空白申請書（PDF）")
    assert (waiting.status, waiting.heading, waiting.headers["Refresh"]) == (202, "空白申請書製作中", "5")
    carry_out(app)
    first = visitor.get(ADDRESS)
    assert "犬貓絕育及寵物登記補助申請書" in first.pdf_text and "動植物防疫所" in first.pdf_text
    assert signed_in(app, "wang.daming").get(ADDRESS).content == first.content, "kept, not printed again"
    assert "頁，" in visitor.get("/services/EC09").text and "KB" in visitor.page.text
    visitor.get("/language/en")
    assert visitor.get(ADDRESS).status == 202, "another language is another paper"


@pytest.mark.usefixtures("_clock")
def test_a_service_that_does_not_exist_has_no_form(app: Flask) -> None:
    visitor = in_process(app.test_client())
    for code in ("XX99", "EC99", "%00", "…"):
        assert visitor.get(f"/services/{code}/form.pdf").status == 404
    assert made(app, lambda: db.session.scalars(select(Effect)).all()) == []


@pytest.mark.usefixtures("_clock")
def test_two_people_at_once_wait_for_one_paper(app: Flask) -> None:
    together = Barrier(4)

    def ask(_number: int) -> int:
        visitor = in_process(app.test_client())
        together.wait()
        return visitor.get(ADDRESS).status

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [202] * 4
    assert len(made(app, lambda: db.session.scalars(select(Effect)).all())) == 1


@pytest.mark.usefixtures("_clock")
def test_whoever_asks_while_it_is_printed_orders_no_second_paper(app: Flask) -> None:
    visitor = in_process(app.test_client())
    visitor.get(ADDRESS)
    with ThreadPoolExecutor(1) as elsewhere, app.app_context(), unit_of_work():
        db.session.execute(update(Effect).values(state="done"))  # the worker, about to commit
        assert elsewhere.submit(visitor.get, ADDRESS).result().status == 202
    assert made(app, lambda: db.session.scalars(select(Effect)).one().state) == "done"


@pytest.mark.usefixtures("_clock")
def test_a_unit_that_moved_gets_a_new_form(app: Flask) -> None:
    visitor = in_process(app.test_client())
    visitor.get(ADDRESS)
    carry_out(app)
    change(app, lambda: (db.session.execute(update(Unit).values(address="金門縣新址路1號")), bump("org")))
    assert visitor.get(ADDRESS).status == 202
    carry_out(app)
    assert "金門縣新址路1號" in visitor.get(ADDRESS).pdf_text


@pytest.mark.usefixtures("_clock")
def test_a_form_that_was_lost_is_printed_again_and_one_that_fails_says_so(app: Flask) -> None:
    visitor = in_process(app.test_client())
    visitor.get(ADDRESS)
    carry_out(app)
    change(app, lambda: db.session.execute(delete(BlankForm)))
    assert visitor.get(ADDRESS).status == 202
    change(app, lambda: db.session.execute(update(Effect).values(state="dead")))
    page = visitor.get(ADDRESS)
    assert page.status == 404 and "沒有製作成功" in page.text and "線上申請" in page.text


# --- the draft over HTTP ----------------------------------------------------------------------------------


def new_draft(app: Flask) -> str:
    def write() -> str:
        with unit_of_work():
            return journeys.draft("EC09", citizen()).public_id

    return made(app, write)


def rename(app: Flask, key: str, name: str) -> None:
    def write() -> None:
        draft = drafts.own(citizen(), key, NOW)
        form = definitions.form(draft.form_revision_id)
        drafts.save(draft, form, ["pet_name"], {"pet_name": [name]}, draft.version, NOW)

    change(app, write)


def prints(app: Flask) -> int:
    kept = select(Document.id).where(Document.kind == "draft_form")
    return made(app, lambda: len(db.session.scalars(kept).all()))


@pytest.mark.usefixtures("_clock")
def test_a_draft_is_printed_as_it_stands_and_for_its_writer_alone(app: Flask) -> None:
    key = new_draft(app)
    writer, address = signed_in(app, "chen.meiling"), f"/apply/{key}/form.pdf"
    writer.get(f"/apply/{key}/review")
    assert writer.follow("把草稿印成申請書（PDF）").status == 202
    assert signed_in(app, "wang.daming").get(address).status == 404
    carry_out(app)
    text = writer.get(address).pdf_text
    assert "草稿，尚未送出" in text and "收件編號" not in text and "陳美玲" in text
    assert writer.get(f"/apply/{key}/review").status == 200
    rename(app, key, "大大花")
    assert writer.get(address).status == 202, "the earlier paper is not what stands in the draft"
    carry_out(app)
    assert "大大花" in writer.get(address).pdf_text and prints(app) == 1


@pytest.mark.usefixtures("_clock")
def test_what_was_sent_or_discarded_leaves_no_draft_on_paper(app: Flask) -> None:
    sent, discarded = new_draft(app), new_draft(app)
    writer = signed_in(app, "chen.meiling")
    for key in (sent, discarded):
        writer.get(f"/apply/{key}/form.pdf")
    carry_out(app)
    assert prints(app) == 2
    rename(app, sent, "改名")
    writer.get(f"/apply/{sent}/form.pdf")
    change(app, lambda: applications.submit(citizen(), sent, NOW + timedelta(minutes=1)))
    change(app, lambda: drafts.discard(drafts.own(citizen(), discarded, NOW)))
    carry_out(app)
    assert prints(app) == 0 and made(app, lambda: db.session.scalars(select(Draft)).all()) == []
    page = writer.get(f"/apply/{sent}/form.pdf")
    assert page.status == 200 and page.path.endswith("/confirmation")
