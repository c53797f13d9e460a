"""Following a case: timeline, papers, code, corrections, withdrawal; and that nobody else can."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests import factory, filling
from tests.journeys import NOW, officer, open_tasks, submitted, take
from tests.officers import at, made, signed_in
from tests.visitor import Page, Visitor, in_process, plain
from tests.walks import fill_in_the_rest, send
from webapp.crypto import follow_code
from webapp.demo.samples import SAMPLES, day, picture
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Case, Document, Effect, Submission
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM
from webapp.queries import answering, definitions
from webapp.services import cases, documents, drafts, moves, publishing
from webapp.uow import unit_of_work

PNG = picture()


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


@pytest.fixture
def owner(app: Flask) -> Visitor:
    return signed_in(app, "chen.meiling")


def case_id(code: str = "EC09", then: Callable[[Case], object] = lambda case: None) -> str:
    case = submitted(code)
    then(case)
    return case.public_id


def asked_for(*fields: str) -> Callable[[Case], object]:
    return lambda case: take(case, "request_correction", comment="請改正，謝謝。", fields=fields)


def timeline(page: Page) -> list[tuple[str, str]]:
    kinds = {"done", "current", "next"}
    return [
        (
            next(c.rpartition("--")[2] for c in item["class"] if c.rpartition("--")[2] in kinds),
            plain(item.select_one(".app-timeline__title")),
        )
        for item in page.soup.select(".app-timeline__item")
    ]


# --- progress --------------------------------------------------------------


def test_detail_24_the_timeline_is_in_plain_words_with_an_expected_date(app: Flask, owner: Visitor) -> None:
    page = owner.get(f"/applications/{made(app, case_id)}")
    assert timeline(page) == [
        ("done", "已收到您的申請"),
        ("current", "承辦人正在審查您的申請"),
        ("next", "完成"),
    ]
    for words in ("預計民國114年10月20日前", "還有 14 個工作天", "動植物防疫所", "免費", "EC09-114-000001"):
        assert words in page.text, words


def stages(page: Page) -> list[str]:
    return [item.get_text(strip=True) for item in page.soup.select(".app-stages__item")]


def test_the_line_of_steps_says_what_may_come(app: Flask, owner: Visitor) -> None:
    page = owner.get(f"/applications/{made(app, lambda: case_id('EC06'))}")
    assert stages(page) == [
        "目前：書面審查",
        "接下來：排定勘查",
        "接下來：現場勘查",
        "接下來：主管決行",
        "接下來：完成",
    ]


def test_a_step_beside_the_path_is_told_while_the_case_is_in_it(app: Flask, owner: Visitor) -> None:
    page = owner.get(f"/applications/{made(app, lambda: case_id(then=asked_for('amount')))}")
    assert stages(page) == ["已完成：承辦審查", "目前：補正中", "接下來：主管決行", "接下來：完成"]


def test_what_was_left_out_is_not_called_done(app: Flask, owner: Visitor) -> None:
    returned = made(
        app, lambda: case_id(then=lambda case: take(case, "return_application", comment="非本縣"))
    )
    assert stages(owner.get(f"/applications/{returned}")) == ["已完成：承辦審查", "已完成：已退件"]


def test_a_case_that_goes_on_under_a_new_workflow_keeps_its_history(app: Flask, owner: Visitor) -> None:
    def under_another_name(case: Case) -> None:
        take(case, "propose_approval")
        body = factory.workflow("single_review")
        body["states"]["decide"] = body["states"].pop("approve")
        for state in body["states"].values():
            for way in state.get("transitions", {}).values():
                way["to"] = "decide" if way.get("to") == "approve" else way.get("to")
        with unit_of_work():
            new = publishing.insert(SYSTEM, "workflow", "single_review", body, NOW, origin="editor")
            publishing.publish(SYSTEM, new, taipei_day(NOW), NOW)
            moves.move(SYSTEM, case.id, new, {"approve": "decide", "review": "review"}, NOW)

    page = owner.get(f"/applications/{made(app, lambda: case_id(then=under_another_name))}")
    assert stages(page) == ["已完成：承辦審查", "目前：主管決行", "接下來：完成"]
    assert [title for _, title in timeline(page)] == [
        "已收到您的申請",
        "承辦人正在審查您的申請",
        "審查完成，主管正在做最後決定",
        "完成",
    ]


def test_the_notes_of_the_office_stay_in_the_office(app: Flask, owner: Visitor) -> None:
    def proposed(case: Case) -> None:
        take(case, "propose_approval", comment="內部意見：金額偏高")
        take(case, "send_back", comment="內部意見：再查")

    page = owner.get(f"/applications/{made(app, lambda: case_id(then=proposed))}")
    assert "內部意見" not in page.text
    assert timeline(page)[-2] == ("current", "承辦人正在審查您的申請")


def test_the_polled_part_answers_by_its_etag(app: Flask, owner: Visitor) -> None:
    pid = made(app, case_id)
    page = owner.get(f"/applications/{pid}")
    [part] = page.soup.select("[data-poll-url]")
    polled = str(part["data-poll-url"])
    fresh = owner.send("GET", polled, None, {})
    assert fresh.status == 200
    assert "<html" not in fresh.content.decode()
    assert fresh.headers["ETag"] == part["data-poll-etag"]
    same = owner.send("GET", polled, None, {"If-None-Match": str(part["data-poll-etag"])})
    assert (same.status, same.content) == (304, b"")
    made(app, lambda: asked_for("chip_no")(db.session.scalars(select(Case)).one()))
    changed = owner.send("GET", polled, None, {"If-None-Match": str(part["data-poll-etag"])})
    assert (changed.status, "請您補正" in changed.content.decode()) == (200, True)


def test_the_letter_is_there_as_soon_as_it_is_printed(app: Flask, owner: Visitor) -> None:
    def granted(case: Case) -> None:
        take(case, "propose_approval", comment="符合規定")
        take(case, "approve")

    pid = made(app, lambda: case_id(then=granted))
    page = owner.get(f"/applications/{pid}")
    assert "公文正在製作" in page.text
    assert owner.get(f"/applications/{pid}/letter.pdf").status == 404

    def print_all() -> None:
        for effect in db.session.scalars(select(Effect.id).order_by(Effect.id)).all():
            perform_effect(effect)

    made(app, print_all)
    page = owner.get(f"/applications/{pid}")
    assert timeline(page)[-1] == ("done", "您的申請已核准，可以下載公文")
    assert "撤回申請" not in page.text
    assert "小黑" in owner.follow("下載公文（PDF）").pdf_text or "陳美玲" in owner.page.pdf_text
    owner.get(f"/applications/{pid}")
    assert "EC09-114-000001" in owner.follow("送件收據（PDF）").pdf_text


def test_the_list_shows_state_and_dates(app: Flask, owner: Visitor) -> None:
    made(app, case_id)
    made(app, lambda: case_id(then=asked_for("chip_no")))
    page = owner.get("/applications")
    assert "請補正" in page.text and "前補正" in page.text
    assert "承辦人正在審查您的申請" in page.text
    assert owner.follow("EC09-114-000001").heading == "犬貓絕育及寵物登記補助"


def test_the_list_goes_on_over_pages(app: Flask, owner: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.queries.mine.PAGE", 1)
    made(app, case_id)
    made(app, case_id)
    assert [plain(a) for a in owner.get("/applications").soup.select("td a")] == ["EC09-114-000002"]
    assert [plain(a) for a in owner.follow("下一頁").soup.select("td a")] == ["EC09-114-000001"]
    assert owner.page.links("下一頁") == []


# --- who may see it --------------------------------------------------------------

PATHS = (
    "",
    "/confirmation",
    "/receipt.pdf",
    "/application.pdf",
    "/qr.png",
    "/correction",
    "/withdraw",
    "/letter.pdf",
)


def test_a_case_exists_only_for_who_may_see_it(app: Flask, owner: Visitor) -> None:
    pid = made(app, lambda: case_id(then=asked_for("chip_no", "receipt")))
    with app.app_context():
        files = [d.public_id for d in db.session.scalars(select(Document)).all()]
    others = [in_process(app.test_client())] + [signed_in(app, n) for n in ("wang.daming", "weng.guoliang")]
    for stranger in others:
        for path in PATHS:
            assert stranger.get(f"/applications/{pid}{path}").status == 404, path
        for file in files:
            assert stranger.get(f"/documents/{file}").status == 404
    for stranger in others[1:]:
        for path in ("/correction", "/correction/autosave", "/correction/files/receipt", "/withdraw"):
            assert stranger.post(f"/applications/{pid}{path}", {"version": "1"}).status == 404, path
    assert owner.get(f"/documents/{files[0]}").content == PNG


def test_an_officer_reads_the_page_and_acts_for_nobody(app: Flask) -> None:
    pid = made(app, lambda: case_id(then=asked_for("chip_no")))
    desk = signed_in(app, "lin.yahan")
    page = desk.get(f"/applications/{pid}")
    assert page.status == 200
    assert page.links("撤回申請") == page.links("開始補正") == []
    assert desk.get(f"/applications/{pid}/correction").status == 403
    assert desk.post(f"/applications/{pid}/withdraw", {"version": "1"}).status == 403


# --- number and code --------------------------------------------------------------


def test_number_and_code_open_a_case_however_they_are_typed(app: Flask) -> None:
    pid = made(app, case_id)
    visitor = in_process(app.test_client())
    page = visitor.get("/track?number=EC09-114-000001")
    assert page.value("number") == "EC09-114-000001"
    code = follow_code(pid).lower()
    page = visitor.press("查詢", {"number": "ｅｃ09 114 000001", "code": f"{code[:5]} {code[5:]}"})
    assert page.path == f"/applications/{pid}"
    assert visitor.get("/applications").links("EC09-114-000001")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("EC09-114-000001", "WRONGCODE2"),
        ("EC09-114-999999", "XXXXXXXXXX"),
        ("", ""),
        ("陳" * 9000, "\x00" * 9000),
    ],
)
def test_a_wrong_code_says_nothing_about_the_case(app: Flask, number: str, code: str) -> None:
    made(app, case_id)
    visitor = in_process(app.test_client())
    visitor.get("/track")
    page = visitor.press("查詢", {"number": number, "code": code})
    assert (page.status, page.mistakes) == (422, ["案件編號或查詢碼不正確，請對照收據或通知再輸入一次。"])


def test_guessing_codes_is_stopped(app: Flask) -> None:
    pid = made(app, case_id)
    visitor = in_process(app.test_client())
    for _guess in range(10):
        visitor.post("/track", {"number": "EC09-114-000001", "code": "2222222222"})
    visitor.get("/track")
    page = visitor.press("查詢", {"number": "EC09-114-000001", "code": follow_code(pid)})
    assert page.status == 429
    assert "15 分鐘後再試" in page.text


# --- correction --------------------------------------------------------------


def test_detail_25_a_correction_opens_only_the_named_fields(app: Flask, owner: Visitor) -> None:
    pid = made(app, lambda: case_id(then=asked_for("chip_no", "receipt")))
    owner.get(f"/applications/{pid}")
    page = owner.follow("開始補正")
    assert "請在民國114年10月13日前送出" in page.text  # 15 days on is a holiday and a weekend
    assert "請改正，謝謝。" in page.text
    names = {name for name in page.form_with("version").names if not name.startswith(("csrf", "version"))}
    assert names == {"chip_no", "receipt", "receipt-upload"}
    assert "小黑" in page.text
    page = owner.press("送出補正", {"chip_no": "12"})
    assert page.status == 422
    assert page.soup.title is not None and page.soup.title.get_text().startswith("錯誤：")
    owner.press("送出補正", {"chip_no": "900123456789999"}, smuggle={"pet_name": "別的名字"})
    assert "已收到您的補正" in owner.page.text
    assert ("done", "已收到您的補正") in timeline(owner.page)
    with app.app_context():
        first, second = db.session.scalars(select(Submission).order_by(Submission.number)).all()
        assert (second.answers["chip_no"], second.answers["pet_name"]) == ("900123456789999", "小黑")
        assert first.answers["chip_no"] == "900123456789012"
        assert second.personal["receipt"] == first.personal["receipt"]
    # a second click, Back, or the link of the message
    for again in (owner.get, owner.post):
        page = again(f"/applications/{pid}/correction")
        assert (page.status, page.path) == (200, f"/applications/{pid}")
        assert "已收到您的補正" in page.soup.select_one(".govuk-notification-banner").get_text()
    assert owner.post(f"/applications/{pid}/correction/autosave").status == 404


def test_files_of_a_correction_come_and_go(app: Flask, owner: Visitor) -> None:
    pid = made(app, lambda: case_id(then=asked_for("receipt")))
    page = owner.get(f"/applications/{pid}/correction")
    [old] = page.form_with("version").values.getlist("receipt")
    owner.press(f"remove-file:receipt:{old}")
    page = owner.press("送出補正", files={"receipt-upload": [("收據.pdf", b"nonsense")]})
    assert page.status == 422
    assert "「收據.pdf」的內容不是" in page.text
    page = owner.press("upload:receipt", files={"receipt-upload": [("新收據.png", PNG)]})
    assert owner.get(page.links("新收據.png")[0]).content == PNG
    owner.page = page
    owner.press("送出補正")
    assert "已收到您的補正" in owner.page.text
    with app.app_context():
        names = [
            d.filename for d in db.session.scalars(select(Document).where(Document.field_key == "receipt"))
        ]
        assert sorted(names) == ["receipt.png", "新收據.png"]


def test_a_correction_is_kept_while_it_is_written(app: Flask, owner: Visitor) -> None:
    pid = made(app, lambda: case_id(then=asked_for("chip_no")))
    path = f"/applications/{pid}/correction"
    old = owner.get(path)
    saved = owner.post(
        f"{path}/autosave", {"chip_no": "1", "version": old.value("version")}, "application/json"
    )
    assert json.loads(saved.content)["saved_at"] == "10:00"
    assert owner.get(path).value("chip_no") == "1"
    owner.page = old
    page = owner.press("送出補正", {"chip_no": "2"})
    assert page.status == 409
    assert "這一頁：2" in page.text and "已儲存：1" in page.text
    page = owner.press("儲存，稍後再送", {"chip_no": "3"})
    assert "請在民國114年10月13日前送出補正" in page.text
    assert owner.get(path).value("chip_no") == "3"


def test_an_improvement_is_answered_with_one_button(app: Flask) -> None:
    def improving() -> str:
        case = submitted("EC06")
        take(case, "pass_papers")
        take(case, "schedule", on_date=(NOW + timedelta(days=5)).date())
        [task] = open_tasks(case)
        photos = definitions.current_form("inspection_record", NOW.date()).field("photos")
        with unit_of_work():
            documents.upload(officer("ou.yijun"), cases.upload_key(task), photos, "東側.png", PNG, NOW)
        record = {
            **day("inspected_on", NOW.date()),
            "use_matches": ["no"],
            "findings": ["田區堆置雜物，約占面積一成，其餘種植高粱。"],
            "result": ["improve"],
            "improvements": ["請清除田邊的廢棄物。"],
        }
        take(case, "improve", "ou.yijun", comment="請清除田邊的廢棄物。", raw=record)
        return case.public_id

    owner = signed_in(app, "chen.meiling")
    pid = made(app, improving)
    page = owner.get(f"/applications/{pid}")
    assert "請清除田邊的廢棄物" in page.text
    page = owner.follow("回覆已改善")
    assert "改善完成後請按下面的按鈕" in page.text
    owner.press("已改善，請複查")
    assert "請您改善" not in owner.page.text
    assert "東側.png" not in owner.page.text
    with app.app_context():
        [photo] = db.session.scalars(select(Document.public_id).where(Document.field_key == "photos")).all()
    assert owner.get(f"/documents/{photo}").status == 404


# --- withdrawal --------------------------------------------------------------


def test_a_withdrawal_is_confirmed_first(app: Flask, owner: Visitor) -> None:
    pid = made(app, case_id)
    owner.get(f"/applications/{pid}")
    page = owner.follow("撤回申請")
    assert "確定撤回" in page.text
    page = owner.press("確定撤回")
    assert "您已撤回申請，本案結案" in page.text
    assert timeline(page)[-1] == ("done", "您已撤回申請")
    assert owner.get(f"/applications/{pid}/withdraw").path == f"/applications/{pid}"


def test_a_withdrawal_from_an_old_page_is_refused(app: Flask, owner: Visitor) -> None:
    pid = made(app, case_id)
    owner.get(f"/applications/{pid}/withdraw")
    made(app, lambda: take(db.session.scalars(select(Case)).one(), "propose_approval", comment="可"))
    page = owner.press("確定撤回")
    assert page.status == 409
    assert "已由" in page.text


def test_a_case_from_the_counter_is_followed_by_its_code(app: Flask) -> None:
    def start() -> str:
        intake = {"channel": "counter", "received_on": "2025-09-24", "originals_seen": [], "note": ""}
        with unit_of_work():
            return drafts.start(officer("huang.meilan"), "EC09", NOW, intake=intake).public_id

    clerk = signed_in(app, "huang.meilan")
    clerk.get(f"/apply/{made(app, start)}/applicant")
    fill_in_the_rest(clerk, SAMPLES["EC09"])
    number = send(clerk)
    code = clerk.page.soup.select_one(".app-follow strong")
    visitor = in_process(app.test_client())
    visitor.get("/track")
    page = visitor.press("查詢", {"number": number, "code": plain(code)})
    assert "臨櫃" in page.text
    assert "撤回申請" in page.text
    with app.app_context():
        assert open_tasks(db.session.scalars(select(Case)).one())


def appeal_id() -> str:
    form = definitions.current_form("administrative_appeal", taipei_day(NOW))
    raw = filling.valid(form.fields, taipei_day(NOW), answering.lists_of(form, "AD04", NOW))
    files = {field.key for field in form.file_fields}
    return submitted("AD04", **{name: texts for name, texts in raw.items() if name not in files}).public_id


def test_an_appeal_is_no_mediation_and_its_heads_are_one_step(
    app: Flask, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SAMPLES, "AD04", {})
    page = owner.get(f"/applications/{made(app, appeal_id)}")
    assert stages(page) == [
        "目前：程序審查",
        "接下來：訴願審議委員會審議",
        "接下來：製作訴願決定書",
        "接下來：主管核定",
        "接下來：送達",
        "接下來：完成",
    ]
    assert "調解" not in page.text
