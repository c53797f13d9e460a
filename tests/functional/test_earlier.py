"""Detail 20: what somebody with an account gave before, answers and files, starts their next application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests import filling
from tests.functional.test_behalf import AGENT
from tests.journeys import NOW, citizen, draft, officer, submitted, take
from tests.officers import at, case_of, corrected, made, signed_in
from tests.visitor import Page, Visitor, in_process
from webapp.demo.samples import SAMPLES, picture
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Document, DocumentChunk, Draft
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import answering, definitions, earlier
from webapp.services import documents
from webapp.uow import unit_of_work

SELF = {"filed_by": ["self"]}
COMPANY = {**SELF, "applicant_type": ["company"]}
PERSON = {**SELF, "applicant_type": ["person"]}


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def begun(app: Flask, code: str, login: str = "chen.meiling", **fill: str | list[str]) -> Visitor:
    visitor = signed_in(app, login)
    visitor.get(f"/services/{code}")
    visitor.press("開始申請", fill)
    assert visitor.page.path.startswith("/apply/"), visitor.page
    return visitor


def step(visitor: Visitor, section: str) -> Page:
    return visitor.get(f"{visitor.page.path.rpartition('/')[0]}/{section}")


def brought(
    code: str, way: dict[str, list[str]], actor: Actor | None = None
) -> dict[str, tuple[object, str]]:
    form = definitions.current_form(definitions.current_service(code, taipei_day(NOW)).form, taipei_day(NOW))
    found = earlier.answers(earlier.sent_by(actor or citizen()), code, form, way, NOW)
    return {each.field.key: (each.value, each.number) for each in found}


def test_detail_20_earlier_answers_and_documents_are_reusable(app: Flask) -> None:
    """Of any earlier application: here one for a pet, then one for farm land, in the citizen's own words."""
    made(app, lambda: submitted("EC09").public_id)
    visitor = signed_in(app, "chen.meiling")
    page = visitor.get("/services/EC06")
    assert "帶入我先前申請時填過的資料" in page.text
    assert "選「本人」時會帶入" in page.text and "來自 EC09-114-000001" in page.text
    assert "雙口12號" in page.text, "it says what, not only that"
    page = visitor.press("開始申請", {"for": "person"})
    assert "已帶入您先前申請（EC09-114-000001）的資料" in page.text
    assert [page.value(name) for name in ("applicant_name", "applicant_id", "birth_date-year")] == [
        "陳美玲",
        "A123456789",
        "47",
    ]
    assert (page.value("phone"), page.value("address-detail")) == ("0912-345-678", "雙口12號")
    page = step(visitor, "documents")
    assert "文件可能已經過期或內容有變" in page.text
    offered = page.soup.select_one("#reuse-land_register")
    assert offered is not None and "EC09-114-000001，114.09.25" in offered.get_text()
    button = next(
        str(each["value"])
        for each in offered.select("button")
        if "receipt.png" in each.find_parent("li").get_text()
    )
    page = visitor.press(button)
    assert "receipt.png" in page.soup.select_one("#field-land_register").get_text()
    assert page.soup.select_one("#reuse-land_register") is None, "it is there already"


# --- answers ----------------------------------------------------------------------------------------------


def test_the_newest_answer_counts_and_says_where_it_is_from(app: Flask) -> None:
    with app.app_context():
        first = submitted("EC09", phone=["0911-111-111"])
        second = submitted("EC06", email=[""], phone=["0922-222-222"])
        found = brought("EC09", SELF)
        assert found["phone"] == ("0922-222-222", second.number)
        assert found["email"] == ("chen.meiling@ecounter.example", first.number)
        assert found["pet_name"] == ("小黑", first.number)
        assert not {"agree_privacy", "agree_truth", "filed_by", "receipt"} & found.keys()


def test_two_people_are_not_mixed(app: Flask) -> None:
    """Who applied for a relative under an account of their own is not given half of either."""
    with app.app_context():
        submitted("EC09")
        submitted("EC09", applicant_name=["王大同"], email=[""])
        found = brought("EC09", SELF)
        assert found["applicant_name"][0] == "王大同" and "email" not in found


def test_a_company_and_a_person_are_not_mixed(app: Flask) -> None:
    with app.app_context():
        submitted("EC09")
        road = submitted("PW01")
        of_company, of_person = brought("PW01", COMPANY), brought("PW01", PERSON)
        assert of_company["applicant_name"] == ("永昌營造有限公司", road.number)
        assert of_company["responsible_name"] == ("林永昌", road.number)
        assert of_person["applicant_name"][0] == "陳美玲"
        assert not {"company_number", "responsible_name", "contact_name"} & of_person.keys()


def test_another_form_calls_the_company_by_another_name(app: Flask) -> None:
    with app.app_context():
        submitted("PW01")
        found = brought("EP02", SELF)
        assert found["company_name"][0] == "永昌營造有限公司"
        assert (found["ubn"][0], found["contact_name"][0]) == ("04595257", "王大明")


def test_an_association_and_a_company_are_not_mixed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the form calls the name of a body, telephone and address come from the same one."""
    with app.app_context():
        submitted("PW01")
        form = definitions.current_form("condominium_filing", taipei_day(NOW))
        raw = filling.valid(form.fields, taipei_day(NOW), answering.lists_of(form, "EC03", NOW))
        monkeypatch.setitem(SAMPLES, "EC03", raw)
        condominium = submitted("EC03", phone=["082-111-111"])
        found = brought("EP02", SELF)
        assert found["phone"] == ("082-111111", condominium.number)
        assert not {"company_name", "ubn"} & found.keys()
        own = brought("EC03", SELF)
        assert own["org_name"] == (SAMPLES["EC03"]["org_name"][0], condominium.number)


def test_an_agent_does_not_become_who_stands_for_a_body(app: Flask) -> None:
    """`representative` is the agent where a person applies, and somebody else where an association does."""
    with app.app_context():
        submitted("EC09")
        found = brought("EC03", {"filed_by": ["agent"]})
        assert found["agent_name"][0] == "陳美玲"
        assert not {"representative", "representative_id"} & found.keys()
        assert brought("SW01", {"filed_by": ["agent"]})["representative"][0] == "陳美玲"


def test_an_agent_brings_their_own_data_and_nothing_of_whom_they_acted_for(app: Flask) -> None:
    as_agent = {"filed_by": ["agent"]}
    with app.app_context():
        submitted("EC09")
        found = brought("EC06", as_agent)
        assert (found["agent_name"][0], found["agent_id"][0]) == ("陳美玲", "A123456789")
        assert found["agent_address"][0]["detail"] == "雙口12號"
        assert not any(key.startswith("applicant_") for key in found)
        submitted("EC09", **{**AGENT, "applicant_name": ["王大同"], "pet_name": ["大黃"]})
        other = brought("EC06", as_agent)
        assert other["agent_name"][0] == "林美玉"
        assert "agent_id" not in other, "the number is of somebody else"
        of_self = brought("EC09", SELF)
        assert (of_self["applicant_name"][0], of_self["pet_name"][0]) == ("陳美玲", "小黑")


def test_a_correction_is_the_newest_word(app: Flask) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "request_correction", fields=("pet_name",), comment="名字與證明不同")
        corrected(case, pet_name=["小白"])
        assert brought("EC09", SELF)["pet_name"] == ("小白", case.number)


def test_what_the_new_form_would_refuse_is_left_out(app: Flask) -> None:
    with app.app_context():
        submitted("PW01", applicant_type=["person"], applicant_id=["A123456789"], applicant_name=["永" * 90])
        assert "applicant_name" not in brought("EC09", SELF), "a person's name has 60 characters there"
        assert "applicant_name" in brought("PW01", PERSON)


def test_only_cases_of_ones_own_count(app: Flask) -> None:
    """Neither a draft, nor what a clerk took in, nor somebody else's case; and nobody without an account has any."""
    with app.app_context():
        with unit_of_work():
            draft("EC09", citizen())
        assert brought("EC09", SELF) == {}
        submitted("EC09", actor=citizen("wang.daming"))
        assert brought("EC09", SELF) == {}
        assert brought("EC09", SELF, Actor("anonymous", device_hash="x")) == {}
        assert brought("EC09", SELF, officer("lin.yahan")) == {}
    page = in_process(app.test_client()).get("/services/EC09")
    assert page.soup.select("#reuse") == []


def test_nothing_is_brought_in_that_was_not_asked_for(app: Flask) -> None:
    made(app, lambda: submitted("EC09").public_id)
    assert begun(app, "EC09", reuse=[]).page.value("applicant_name") == ""
    stranger = begun(app, "EC09", "wang.daming")
    assert stranger.page.value("applicant_name") == ""


def test_consent_is_given_anew(app: Flask) -> None:
    made(app, lambda: submitted("EC09").public_id)
    page = step(begun(app, "EC09"), "declaration")
    assert page.soup.select("input[type=checkbox][checked]") == []


# --- files ------------------------------------------------------------------------------------------------


def first_document(pid: str) -> Document:
    case_id = case_of(pid).id
    return db.session.scalars(
        select(Document).where(Document.case_id == case_id, Document.field_key == "receipt")
    ).one()


def test_the_file_of_the_same_question_stands_first(app: Flask) -> None:
    with app.app_context():
        submitted("EC09")
        form = definitions.current_form("pet_neutering", taipei_day(NOW))
        found = earlier.files(citizen(), [form.field("receipt")], frozenset(), documents.fits)
        assert found["receipt"][0].document.field_key == "receipt"


def test_a_copy_stays_whatever_becomes_of_the_old_case(app: Flask) -> None:
    pid = made(app, lambda: submitted("EC09").public_id)
    old = made(app, lambda: first_document(pid).public_id)
    visitor = begun(app, "EC09")
    step(visitor, "documents")
    visitor.press(f"reuse:receipt:{old}")

    def forgotten() -> bytes:
        with unit_of_work():
            was = first_document(pid)
            db.session.query(DocumentChunk).filter_by(document_id=was.id).delete()
            db.session.delete(was)
        [kept] = documents.of_draft(db.session.scalars(select(Draft.public_id)).one())["receipt"]
        assert kept.public_id != old
        return documents.content_of(kept)

    assert made(app, forgotten).startswith(b"\x89PNG")


def test_somebody_elses_file_does_not_exist(app: Flask) -> None:
    """Nor does one of the office, of a draft, or one that never was: all are refused alike."""
    pid = made(app, lambda: submitted("EC09").public_id)

    def others() -> list[str]:
        with unit_of_work():
            hidden = documents.store(
                "意見.png", "image/png", b"x", NOW, kind="upload", case_id=case_of(pid).id, draft_key="task-1"
            )
            waiting = draft("EC09", citizen("wang.daming"))
            letter = documents.store(
                "函.pdf", "application/pdf", b"x", NOW, kind="letter", case_id=case_of(pid).id
            )
            in_draft = documents.of_draft(waiting.public_id)["receipt"][0]
            return [hidden.public_id, letter.public_id, in_draft.public_id, "nosuchfile", ""]

    ids = made(app, others)
    owner = begun(app, "EC09")
    page = step(owner, "documents")
    for public_id in ids:
        sent = {"version": page.value("version"), "action": f"reuse:receipt:{public_id}"}
        assert owner.post(page.path, sent).status == 404
    stranger = begun(app, "EC09", "wang.daming")
    page = step(stranger, "documents")
    assert page.soup.select("[id^=reuse-]") == []
    taken = made(app, lambda: first_document(pid).public_id)
    sent = {"version": page.value("version"), "action": f"reuse:receipt:{taken}"}
    assert stranger.post(page.path, sent).status == 404


def test_a_file_that_the_question_does_not_take_is_refused(app: Flask) -> None:
    pid = made(app, lambda: submitted("EC09").public_id)

    def turned_into_text() -> str:
        with unit_of_work():
            document = first_document(pid)
            document.media_type = "text/plain"
            return document.public_id

    public_id = made(app, turned_into_text)
    visitor = begun(app, "EC09")
    page = step(visitor, "documents")
    assert public_id not in str(page.soup.select_one("#reuse-receipt")), "not offered"


def test_a_correction_can_be_answered_with_an_earlier_file(app: Flask) -> None:
    def asked() -> str:
        with unit_of_work():
            old = case_of(submitted("EC06").public_id)
            documents.store(
                "謄本.png",
                "image/png",
                picture(7),
                NOW,
                kind="upload",
                case_id=old.id,
                draft_key="sent",
                field_key="land_register",
                actor=citizen(),
            )
        case = submitted("EC09")
        take(case, "request_correction", fields=("receipt",), comment="請換一張清楚的")
        return case.public_id

    pid = made(app, asked)
    visitor = signed_in(app, "chen.meiling")
    page = visitor.get(f"/applications/{pid}/correction")
    [button] = [
        str(each["value"])
        for each in page.soup.select("#reuse-receipt button")
        if "謄本.png" in each.find_parent("li").get_text()
    ]
    page = visitor.press(button)
    assert "謄本.png" in page.soup.select_one("#field-receipt").get_text()


def test_someone_who_only_follows_a_case_is_offered_nothing(app: Flask) -> None:
    with app.app_context():
        case = submitted("EC09")
        follower = Actor("anonymous", unlocked=frozenset({case.id}), device_hash="x")
        form = definitions.current_form("pet_neutering", taipei_day(NOW))
        assert earlier.files(follower, form.file_fields, frozenset(), documents.fits) == {}


def test_nothing_of_a_confidential_case_is_offered(app: Flask) -> None:
    with app.app_context():
        case = submitted("EC09")
        file_field = definitions.form(case.form_revision_id).file_fields[0]
        document = documents.of_case(case.id)[0].public_id

        def offered() -> tuple[bool, bool]:
            files = earlier.files(citizen(), [file_field], frozenset(), lambda _field, _document: True)
            return bool(earlier.sent_by(citizen())), bool(files)

        assert offered() == (True, True)
        with unit_of_work():
            case.confidential = True
        assert offered() == (False, False)
        with pytest.raises(NotFound):
            earlier.file(citizen(), document)
