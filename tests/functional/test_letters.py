"""The letter to the applicant: what was looked at is what is sent, it can be printed, and anybody can verify it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, officer, open_tasks, submitted, take
from tests.officers import absent, at, case_of, corrected, made, officer_of, signed_in
from tests.visitor import Page, Visitor, in_process
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import AuditEntry, Case, Document, Effect, Letter, Unit
from webapp.services import printing, steps
from webapp.services.decisions import Decider
from webapp.services.steps import Given
from webapp.uow import unit_of_work

HEAD = "chen.shufen"
EMOJI = "\N{SMILING FACE WITH SMILING EYES}"


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def new_case(app: Flask, *actions: tuple[str, dict], **changes: list[str]) -> str:
    def prepare() -> str:
        case = submitted("EC09", **changes)
        for name, given in actions:
            take(case, name, **given)
        return case.public_id

    return made(app, prepare)


def decided(app: Flask, **changes: list[str]) -> str:
    return new_case(app, ("propose_approval", {"conditions": "限本人"}), ("approve", {}), **changes)


def at_case(app: Flask, case: str, login: str = "") -> Visitor:
    visitor = signed_in(app, login or made(app, lambda: officer_of(case_of(case))))
    visitor.get(f"/staff/cases/{case}")
    return visitor


def at_own_case(app: Flask, case: str) -> Page:
    return signed_in(app, "chen.meiling").get(f"/applications/{case}")


def carry_out(app: Flask, kind: str) -> None:
    def perform() -> None:
        for order in db.session.scalars(
            select(Effect.id).where(Effect.kind == kind).order_by(Effect.id)
        ).all():
            perform_effect(order)

    made(app, perform)


def letter(app: Flask) -> tuple[str, str, dict]:
    """Number, code and content of the only letter."""

    def look() -> tuple[str, str, dict]:
        row = db.session.scalars(select(Letter)).one()
        return row.number, printing.fingerprint(row), row.content

    return made(app, look)


def preview(page: Page) -> str:
    return " ".join(page.soup.select_one("#preview article").text.split())


# --- what no typeface has ---------------------------------------------------------------------------------


@pytest.mark.parametrize("button", ["預覽", "擬予駁回，送主管決行"])
def test_a_reason_that_cannot_be_printed_is_refused_by_name_and_kept(app: Flask, button: str) -> None:
    case = new_case(app)
    visitor = at_case(app, case)
    visitor.follow("擬予駁回，送主管決行")
    visitor.press(button, {"comment": f"資料不符{EMOJI}"})
    assert [EMOJI in mistake and "U+1F60A" in mistake for mistake in visitor.page.mistakes] == [True]
    assert visitor.page.value("comment") == f"資料不符{EMOJI}"
    assert made(app, lambda: case_of(case).state) == "review"
    visitor.press("擬予駁回，送主管決行", {"comment": "資料不符"})
    assert made(app, lambda: case_of(case).state) == "approve"


def test_the_decider_cannot_send_what_cannot_be_printed(app: Flask) -> None:
    case = new_case(app, ("propose_approval", {}))
    head = at_case(app, case, HEAD)
    head.follow("核准並發文")
    head.press("核准並發文", {"conditions": f"限本人{EMOJI}"})
    assert head.page.status == 422
    assert "U+1F60A" in head.page.mistakes[0]
    assert made(app, lambda: (case_of(case).status, db.session.query(Letter).count())) == ("open", 0)


def test_a_name_that_cannot_be_printed_does_not_stop_the_letter(app: Flask) -> None:
    case = decided(app, applicant_name=[f"陳{EMOJI}玲"])
    carry_out(app, "letter")
    text = signed_in(app, "chen.meiling").get(f"/applications/{case}/letter.pdf").pdf_text
    assert "受文者：陳〓玲" in text.replace(" ", "")
    assert "U+1F60A" in text


# --- what could not be printed ----------------------------------------------------------------------------


def give_up(app: Flask) -> int:
    def mark() -> int:
        with unit_of_work():
            order = db.session.scalars(select(Effect).where(Effect.kind == "letter")).one()
            order.state, order.attempts, order.last_error = "dead", 8, "MissingGlyphs"
        return order.id

    return made(app, mark)


def test_a_letter_that_was_given_up_is_seen_and_can_be_sent_again(app: Flask) -> None:
    case = decided(app)
    page = at_own_case(app, case)
    assert "公文正在製作" in page.text
    order = give_up(app)
    changed = at_own_case(app, case)
    assert "沒有製作成功" in changed.text and "公文正在製作" not in changed.text
    assert page.headers["ETag"] != changed.headers["ETag"], "the page that is open hears of it"
    assert "PDF 製作失敗" in at_case(app, case, HEAD).page.text

    desk = signed_in(app, "guo.shiming")
    desk.get("/staff/inbox")
    desk.follow("未完成的輸出")
    [row] = [[td.text.strip() for td in tr.select("td")] for tr in desk.page.soup.select("tbody tr")]
    assert (row[0], row[1], row[3], row[4]) == ("公文", "EC09-114-000001", "8", "MissingGlyphs")
    desk.press("重新送出")
    assert "沒有未完成的輸出" in desk.page.text
    assert desk.post(f"/staff/effects/{order}/resend").status == 409, "once"
    carry_out(app, "letter")
    assert "下載公文（PDF）" in at_own_case(app, case).text
    assert made(app, lambda: [entry.action for entry in db.session.query(AuditEntry)])[-1] == "effect_resent"


def test_who_only_works_on_cases_is_not_led_there(app: Flask) -> None:
    officer = signed_in(app, "lin.yahan")
    assert officer.get("/staff/inbox").links("未完成的輸出") == []
    assert officer.get("/staff/effects").status == 403


# --- previewed and issued ---------------------------------------------------------------------------------


def test_nothing_of_an_abandoned_proposal_stands_in_the_letter(app: Flask) -> None:
    case = new_case(
        app,
        ("propose_approval", {"comment": "資料齊全", "conditions": "限匯入本人帳戶"}),
        ("send_back", {"comment": "請再查"}),
    )
    visitor = at_case(app, case)
    visitor.follow("退件")
    assert "限匯入本人帳戶" not in visitor.page.soup.select_one("form.app-form, .app-act").text
    visitor.press("預覽", {"comment": "重複申請"})
    seen = preview(visitor.page)
    visitor.press("退件")
    _number, _code, content = letter(app)
    assert (content["reason"], content["conditions"]) == ("重複申請", "")
    sent = " ".join([content["subject"], *content["paragraphs"], content["remedy"]])
    assert "".join(seen.split()) == "".join(f"寄給申請人的公文{sent}".split())


def test_an_approval_after_a_sent_back_proposal_has_only_the_new_conditions(app: Flask) -> None:
    new_case(
        app,
        ("propose_approval", {"comment": "先前", "conditions": "舊附款"}),
        ("send_back", {"comment": "請再查"}),
        ("propose_approval", {"comment": "其後"}),
        ("approve", {}),
    )
    content = letter(app)[2]
    assert (content["reason"], content["conditions"]) == ("其後", "")


def test_a_rejection_has_no_conditions(app: Flask) -> None:
    new_case(app, ("propose_rejection", {"comment": "不符", "conditions": "附款"}), ("confirm_rejection", {}))
    assert letter(app)[2]["conditions"] == ""


def test_a_deputy_signs_in_the_rank_of_the_absent(app: Flask) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        deputy = next(name for name in ("lin.yahan", "xu.mingde") if name != officer_of(case))
        take(case, "propose_approval")
        absent(HEAD, deputy, NOW.date(), NOW.date())
        take(case, "approve", deputy)
        return case.public_id

    case = made(app, prepare)
    carry_out(app, "letter")
    content = letter(app)[2]
    title, name = content["signer_title"], content["signer"]
    assert (content["signer_for"], name in ("林雅涵", "許明德")) == ("陳淑芬", True)
    assert (
        title
        == made(app, lambda: Decider(officer(HEAD), "section_head").signs(case_of(case), NOW.date()))[
            "signer_title"
        ]
    )
    text = signed_in(app, "chen.meiling").get(f"/applications/{case}/letter.pdf").pdf_text.replace(" ", "")
    assert f"{title}陳淑芬\u3000{name}代理".replace("\u3000", "") in text.replace("\u3000", "").replace(
        "\xa0", ""
    )


def test_a_letter_that_is_printed_late_bears_the_head_and_the_telephone_of_its_day(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = decided(app)
    phone = letter(app)[2]["office"]["phone"]
    monkeypatch.setitem(app.config, "HEAD_NAME", "王新任")

    def move() -> None:
        with unit_of_work():
            for unit in db.session.query(Unit):
                unit.phone = "(082)000-000"

    made(app, move)
    carry_out(app, "letter")
    text = signed_in(app, "chen.meiling").get(f"/applications/{case}/letter.pdf").pdf_text
    said = "".join(text.split())
    assert "縣長林永安" in said and "王新任" not in said
    assert "".join(phone.split()) in said and "(082)000-000" not in said


def test_an_effect_that_nobody_carries_out_is_an_error(app: Flask) -> None:
    def ask() -> None:
        case = submitted("EC09")
        with pytest.raises(ValueError, match="record_inspection"):
            steps._effect(
                Decider(officer(HEAD)), steps.context(case), "record_inspection", "review", Given(), NOW
            )

    made(app, ask)


# --- the application as a form ----------------------------------------------------------------------------


def test_the_application_is_printed_by_the_worker_and_anew_after_a_correction(app: Flask) -> None:
    case = new_case(app)
    address = f"/applications/{case}/application.pdf"
    citizen = signed_in(app, "chen.meiling")
    waiting = citizen.get(address)
    assert (waiting.status, waiting.heading, waiting.headers["Refresh"]) == (202, "申請書製作中", "5")
    carry_out(app, "application")
    first = citizen.get(address).content
    assert citizen.get(address).content == first, "kept, not printed again"

    def correct() -> None:
        found = case_of(case)
        take(found, "request_correction", fields=("pet_name",), comment="請改")
        corrected(found, NOW + timedelta(hours=1), pet_name=["小花花"])

    made(app, correct)
    assert citizen.get(address).status == 202, "the earlier paper is not the answer"
    carry_out(app, "application")
    assert "小花花" in citizen.get(address).pdf_text
    kinds = made(app, lambda: [d.kind for d in db.session.query(Document)])
    assert kinds.count("application") == 2


def test_an_application_that_could_not_be_printed_says_so(app: Flask) -> None:
    case = new_case(app)

    def mark() -> None:
        with unit_of_work():
            db.session.scalars(select(Effect).where(Effect.kind == "application")).one().state = "dead"

    made(app, mark)
    page = signed_in(app, "chen.meiling").get(f"/applications/{case}/application.pdf")
    assert page.status == 404 and "沒有製作成功" in page.text


# --- verifying --------------------------------------------------------------------------------------------


def test_anybody_can_verify_a_letter_and_learns_nothing_else(app: Flask) -> None:
    case = decided(app)
    number, code, _content = letter(app)
    shown = " ".join(code[i : i + 4] for i in range(0, 16, 4))
    for page in (at_own_case(app, case), at_case(app, case, HEAD).page):
        assert number in page.text and shown in page.text
    anybody = in_process(app.test_client())
    anybody.get("/verify")
    anybody.press("查驗", {"number": f" {number} ", "code": shown.upper()}, within="main")
    text = anybody.page.text
    assert "這是本機關發出的公文" in text and number in text and "民國114年9月25日" in text
    assert "金門縣政府" in text
    assert "陳美玲" not in text and "EC09" not in text
    for wrong in ({"number": number, "code": "0" * 16}, {"number": number + "1", "code": code}):
        anybody.press("查驗", wrong, within="main")
        assert "查無這份公文" in anybody.page.text and "這是本機關發出的公文" not in anybody.page.text


def test_the_code_on_the_letter_leads_to_the_answer(app: Flask) -> None:
    decided(app)
    number, code, _content = letter(app)

    def address() -> str:
        return printing.verify_url(db.session.scalars(select(Letter)).one(), app.config)

    url = urlsplit(made(app, address))
    assert parse_qs(url.query) == {"number": [number], "code": [code]}
    assert "這是本機關發出的公文" in in_process(app.test_client()).get(f"{url.path}?{url.query}").text


def test_guessing_is_slowed_down(app: Flask) -> None:
    anybody = in_process(app.test_client())
    found = [anybody.get(f"/verify?number=x&code={n}").status for n in range(61)]
    assert found == [200] * 60 + [429]


# --- pages that came too late -----------------------------------------------------------------------------


def test_a_page_without_its_task_never_acts_and_keeps_what_was_typed(app: Flask) -> None:
    case = new_case(app)
    version = str(made(app, lambda: case_of(case).version))
    visitor = at_case(app, case)
    page = visitor.post(
        f"/staff/cases/{case}/act/approve", {"action": "send", "version": version, "comment": "我的理由"}
    )
    assert page.status == 409
    assert "我的理由" in page.text
    head = at_case(app, case, HEAD)
    task = made(app, lambda: open_tasks(case_of(case))[0].public_id)
    page = head.post(
        f"/staff/cases/{case}/act/return_application?task={task}",
        {"action": "send", "version": version, "comment": "科長的理由"},
    )
    assert page.status == 403
    assert "科長的理由" in page.text
    assert made(app, lambda: db.session.query(Case).one().state) == "review"
