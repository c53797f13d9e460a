"""Applying for oneself, for a company, and as somebody's agent: from the start page to the letter and its service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests.functional.test_letters import carry_out, decided
from tests.journeys import AGENT, NOW, account, citizen, officer, submitted
from tests.officers import at, case_of, made, officer_of, signed_in
from tests.visitor import Page, Visitor, in_process
from tests.walks import fill_in_step, fill_in_the_rest, send
from webapp import crypto
from webapp.citizen import behalf
from webapp.demo.samples import SAMPLES
from webapp.errors import AnswersInvalid, Refused
from webapp.extensions import db
from webapp.models import Case, Letter, Message, Party
from webapp.moments import taipei_day
from webapp.queries import definitions
from webapp.services import applications, decisions, dispatch, drafts, duties, notices, parties
from webapp.uow import unit_of_work

DOG, ROAD = SAMPLES["EC09"], SAMPLES["PW01"]


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def started(app: Flask, code: str, way: str) -> Visitor:
    visitor = in_process(app.test_client())
    visitor.get(f"/services/{code}")
    visitor.press("不登入，直接申請", {"for": way})
    assert visitor.page.path.startswith("/apply/"), visitor.page
    return visitor


def people(app: Flask) -> list[tuple[str, str, str | None, str | None]]:
    def look() -> list[tuple[str, str, str | None, str | None]]:
        found = db.session.scalars(select(Party).order_by(Party.id))
        return [(each.role, each.name, each.responsible, each.relation) for each in found]

    return made(app, look)


def fact(page: Page, label: str) -> str:
    """What stands beside a word in a list of facts."""
    names = [dt for dt in page.soup.select("dt") if dt.get_text(strip=True) == label]
    assert names, f"no {label} on {page}"
    return names[0].find_next("dd").get_text(strip=True)


# --- the three ways ---------------------------------------------------------------------------------------


def offered(code: str) -> list[str]:
    service = definitions.current_service(code, taipei_day(NOW))
    form = definitions.current_form(service.form, taipei_day(NOW))
    return [way.key for way in behalf.ways(service, form)]


@pytest.mark.parametrize(
    ("code", "ways"),
    [
        ("EC09", ["person", "agent"]),  # a person only
        ("PW01", ["company", "organisation", "agent"]),
        ("FD02", ["company", "organisation", "agent"]),
        ("EC03", ["organisation", "agent"]),  # the form asks about the association itself
        ("EP02", ["company", "agent"]),
        ("SW07", ["person", "agent"]),  # founders, before there is an association
        ("PW02", []),  # who reports a broken light represents nobody
        ("JC02", []),
    ],
)
def test_the_ways_are_those_that_the_service_permits_and_the_form_can_ask(
    app: Flask, code: str, ways: list[str]
) -> None:
    with app.app_context():
        found = offered(code)
        who = definitions.current_service(code, taipei_day(NOW)).who_may_apply
    assert sorted(found) == sorted([*ways, *(["person"] if code == "PW01" and "citizen" in who else [])])
    page = in_process(app.test_client()).get(f"/services/{code}")
    assert [str(tag["value"]) for tag in page.soup.select('input[name="for"]')] == found


def test_for_oneself(app: Flask) -> None:
    visitor = started(app, "EC09", "person")
    assert visitor.page.value("filed_by") == "self"
    fill_in_the_rest(visitor, {name: value for name, value in DOG.items() if name != "filed_by"})
    send(visitor)
    assert fact(visitor.page, "申請人") == "陳美玲"
    assert "代理人" not in visitor.page.text
    assert people(app) == [("applicant", "陳美玲", None, None)]


def test_for_a_company(app: Flask) -> None:
    """Its number, its name, who stands for it, and who handles the application."""
    visitor = started(app, "PW01", "company")
    assert visitor.page.value("applicant_type") == "company"
    page = visitor.press("儲存並繼續")
    missing = {str(link["href"]) for link in page.soup.select("[data-error-summary] a")}
    assert {"#company_number", "#applicant_name", "#responsible_name", "#contact_name"} <= missing
    assert "#applicant_id" not in missing
    chosen = {"filed_by", "applicant_type"}
    fill_in_the_rest(visitor, {name: value for name, value in ROAD.items() if name not in chosen})
    send(visitor)
    assert fact(visitor.page, "申請人") == "永昌營造有限公司（代表人：林永昌）"
    assert people(app) == [("company", "永昌營造有限公司", "林永昌", None)]


def test_as_an_agent_with_a_power_of_attorney(app: Flask) -> None:
    visitor = started(app, "EC09", "agent")
    assert visitor.page.value("filed_by") == "agent"
    page = visitor.press("儲存並繼續", {"agent_relation": "entrusted"})
    missing = [str(link["href"]) for link in page.soup.select("[data-error-summary] a")]
    assert {"#agent_name", "#agent_phone", "#agent_address-township"} <= set(missing)
    assert any("power_of_attorney" in link for link in missing)
    assert not any("guardian_proof" in link for link in missing)
    fill_in_the_rest(visitor, {**DOG, **AGENT})
    assert "power_of_attorney-upload.png" in visitor.page.text
    send(visitor)
    assert fact(visitor.page, "申請人") == "陳美玲"
    assert fact(visitor.page, "代理人") == "林美玉（受申請人委託）"
    assert people(app) == [
        ("applicant", "陳美玲", None, None),
        ("representative", "林美玉", None, "entrusted"),
    ]


def test_a_parent_proves_it_and_needs_no_power_of_attorney(app: Flask) -> None:
    """民法 1086: by law, not by mandate."""
    visitor = started(app, "EC09", "agent")
    fill_in_step(visitor, {**DOG, **AGENT, "agent_relation": ["parent"]})
    assert visitor.page.heading == "寵物資料", visitor.page
    fill_in_the_rest(visitor, DOG)
    assert "guardian_proof-upload.png" in visitor.page.text
    assert "power_of_attorney-upload" not in visitor.page.text
    send(visitor)
    assert fact(visitor.page, "代理人") == "林美玉（法定代理人（父母））"


def test_whoever_may_not_apply_is_not_taken(app: Flask) -> None:
    """FD02 is for companies and organisations: a person is neither offered nor accepted."""
    visitor = started(app, "FD02", "company")
    kinds = [str(tag["value"]) for tag in visitor.page.soup.select('input[name="applicant_type"]')]
    assert kinds == ["company", "organisation"]
    page = visitor.press("儲存並繼續", smuggle={"applicant_type": "person"})
    assert page.status == 422
    assert "#applicant_type" in {str(link["href"]) for link in page.soup.select("[data-error-summary] a")}


def test_nor_when_it_is_sent_past_the_pages(app: Flask) -> None:
    with app.app_context():
        with unit_of_work():
            draft = drafts.start(citizen(), "FD02", NOW)
            drafts.fill(draft, {"filed_by": ["self"], "applicant_type": ["person"]})
            key = draft.public_id
        with pytest.raises(AnswersInvalid) as refused:
            applications.submit(citizen(), key, NOW)
    assert "applicant_type" in refused.value.errors


def test_a_way_that_is_not_offered_chooses_nothing(app: Flask) -> None:
    visitor = in_process(app.test_client())
    visitor.get("/services/EC09")
    page = visitor.press("不登入，直接申請", smuggle={"for": "company"})
    assert page.soup.select('input[name="filed_by"][checked]') == []


# --- what becomes of it ---------------------------------------------------------------------------------------


def represented(**changes: list[str]) -> Case:
    return submitted("EC09", **{**AGENT, **changes})


def test_the_letter_is_addressed_to_the_applicant_and_served_on_the_agent(app: Flask) -> None:
    """行政程序法 71, 96."""
    pid = decided(app, **AGENT)
    carry_out(app, "letter")
    paper = signed_in(app, "chen.meiling").get(f"/applications/{pid}/letter.pdf").pdf_text
    assert "受文者：陳美玲" in paper and "代理人：林美玉" in paper
    assert "金門縣金城鎮東門里民生路62號" in paper and "雙口12號" not in paper
    assert "正本：陳美玲（代理人林美玉）" in paper

    def look() -> tuple[str, str]:
        letter = db.session.scalars(select(Letter)).one()
        return letter.recipient, letter.transit

    assert made(app, look) == ("林美玉（陳美玲之代理人）", "kinmen")
    officer_page = signed_in(app, "lin.yahan")
    pid_of_letter = made(app, lambda: db.session.scalars(select(Letter.public_id)).one())
    page = officer_page.get(f"/staff/letters/{pid_of_letter}")
    assert (fact(page, "受文者"), fact(page, "送達代理人")) == ("陳美玲", "林美玉")


def test_a_letter_to_a_company_names_who_stands_for_it(app: Flask) -> None:
    with app.app_context():
        case = submitted("PW01")
        assert decisions.addressed(case) == {
            "addressee": "永昌營造有限公司",
            "responsible": "林永昌",
            "agent": "",
            "addressee_address": "金門縣金城鎮東門里民生路1號",
        }


def test_post_goes_to_the_agent_where_only_they_gave_an_address(app: Flask) -> None:
    with app.app_context():
        case = represented()
        case.channel = "counter"
        assert dispatch.default_channel(case) == "post"


def test_messages_reach_whoever_filed_and_the_applicant(app: Flask) -> None:
    made(app, lambda: represented().public_id)
    carry_out(app, "notice")

    def told() -> list[tuple[str, str]]:
        return [tuple(row) for row in db.session.execute(select(Message.channel, Message.recipient)).all()]

    assert sorted(made(app, told)) == [
        ("email", "chen.meiling@ecounter.example"),
        ("email", "lin.meiyu@ecounter.example"),
    ]


def test_nobody_is_told_twice_and_paper_goes_to_one_of_them(app: Flask) -> None:
    same = {"agent_email": ["chen.meiling@ecounter.example"]}
    paper = {"email": [""], "phone": ["082-318823"], "agent_email": [""]}
    for changes in (same, paper):
        made(app, lambda changes=changes: represented(**changes).public_id)
    carry_out(app, "notice")
    found = made(app, lambda: sorted(db.session.scalars(select(Message.recipient))))
    assert found == ["0987654321", "chen.meiling@ecounter.example"]


def test_the_office_sees_applicant_and_agent_apart(app: Flask) -> None:
    pid = made(app, lambda: represented().public_id)
    login = made(app, lambda: officer_of(case_of(pid)))
    page = signed_in(app, login).get(f"/staff/cases/{pid}")
    assert fact(page, "申請人") == "陳美玲"
    assert "林美玉" in fact(page, "代理人") and "0987-654-321" in fact(page, "代理人")


def test_the_receipt_and_the_form_name_both(app: Flask) -> None:
    pid = made(app, lambda: represented().public_id)
    for kind, address in (("receipt", "receipt.pdf"), ("application", "application.pdf")):
        carry_out(app, kind)
        paper = signed_in(app, "chen.meiling").get(f"/applications/{pid}/{address}").pdf_text
        assert "陳美玲" in paper and "代理人" in paper and "林美玉" in paper


@pytest.mark.parametrize("field", ["agent_email", "agent_phone"])
def test_an_officer_who_is_the_agent_stays_away(app: Flask, field: str) -> None:
    """行政程序法 32 ③."""
    with app.app_context():
        with unit_of_work():
            account("lin.yahan").mobile_hash = crypto.keyed_hash("0933222111", "mobile")
        own = {"agent_email": ["Lin.Yahan@ecounter.example"], "agent_phone": ["0933-222-111"]}
        case = represented(**{"agent_email": [""], field: own[field]})
        assert duties.is_party(case, account("lin.yahan").id)
        with pytest.raises(Refused):
            duties.require_stranger(case, account("lin.yahan").id)
        assert not dispatch.may_send(officer("lin.yahan"), case)


def test_cases_of_one_agent_are_not_of_one_applicant(app: Flask) -> None:
    with app.app_context():
        first, second = represented(), represented(applicant_id=["B123456780"], applicant_name=["王大同"])
        assert not parties.same_applicant(first, second)
        assert parties.same_applicant(first, represented())


def test_the_account_is_written_to_before_paper_unless_they_wrote_by_post(app: Flask) -> None:
    with app.app_context():
        case = submitted("EC09", email=[""], phone=["082-318823"])
        assert [each[1:] for each in parties.channels_of(case.id)] == [
            ("email", account("chen.meiling").email)
        ]
        _subject, letter = notices.compose(case, "correction", comment="缺收據", correction_due=NOW.date())
        assert "線上補正，也可以親自送到櫃檯或郵寄" in letter
        with unit_of_work():
            case.channel = "post"
        assert [channel for _mark, channel, _to in parties.channels_of(case.id)] == ["post"]
