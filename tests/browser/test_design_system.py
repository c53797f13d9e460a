"""The pages and modules of the design system in a browser: layout, axe, autosave, upload, polling, focus."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect
from werkzeug.serving import make_server

from forms.field_types import FIELD_TYPES
from tests.functional.gallery import create_gallery, definition_of

FORM = "/form/farm_use_certificate/applicant"
FILES = "/form/files/page?proof=scan1"
WITH_FORM = (
    FORM,
    "/form/every_type/page",
    pytest.param("/form/farm_use_certificate/land", marks=pytest.mark.full),
    pytest.param("/form/files/page", marks=pytest.mark.full),
    pytest.param("/form/road_excavation/work", marks=pytest.mark.full),
)
PAGES = ("/", "/components", "/inbox", FILES, *WITH_FORM)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PDF = {"name": "證明.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 and so on"}
SAVE = "button[value=next]:not([aria-hidden])"


@pytest.fixture(scope="module")
def gallery() -> Iterator[tuple[Flask, str]]:
    app = create_gallery()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield app, f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def state(gallery: tuple[Flask, str]) -> dict[str, Any]:
    """What the gallery received, and how it is to behave."""
    state = gallery[0].extensions["gallery"]
    state.update(drafts=[], submits=[], polls=0, behaviour="ok")
    return state


@pytest.fixture
def visitor(browser: Browser, gallery: tuple[Flask, str], state: dict[str, Any]) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=gallery[1], locale="zh-TW", reduced_motion="reduce")
    context.set_default_timeout(10_000)
    failures: list[str] = []
    context.on("weberror", lambda failure: failures.append(str(failure.error)))
    context.on(
        "console",
        lambda message: failures.append(message.text) if "Content Security Policy" in message.text else None,
    )
    yield context
    context.close()
    assert failures == []


@pytest.fixture
def tab(visitor: BrowserContext) -> Page:
    return visitor.new_page()


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response["violations"]
    return [f"{v['id']}: {[node['html'][:120] for node in v['nodes'][:3]]}" for v in found]


def wider_than_the_window(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


SMALL_TARGETS = """
() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((e) => !e.closest(".govuk-visually-hidden, .govuk-skip-link, p, dd") && e.checkVisibility())
  .map((e) => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 24)
  .map(([html]) => html)
"""


# --- looks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible_and_fit_a_desk_a_phone_and_large_text(tab: Page, path: str) -> None:
    for width in (1280, 360):
        tab.set_viewport_size({"width": width, "height": 800})
        tab.goto(path)
        assert violations(tab) == [], width
        assert wider_than_the_window(tab) <= 0, width
        assert tab.evaluate(SMALL_TARGETS) == [], width
    tab.evaluate("document.documentElement.style.fontSize = '200%'")
    assert wider_than_the_window(tab) <= 0


def test_a_field_of_every_type_is_on_a_page_that_is_looked_at() -> None:
    """A type that comes to be is put there: tests/definitions/forms/every_type.yaml."""
    assert "/form/every_type/page" in PAGES
    assert {field.type for field in definition_of("every_type").fields} == set(FIELD_TYPES)


@pytest.mark.parametrize("path", WITH_FORM)
def test_detail_16_the_error_summary_takes_focus_and_its_links_lead_to_the_inputs(
    tab: Page, path: str
) -> None:
    tab.set_viewport_size({"width": 360, "height": 800})
    tab.goto(path)
    tab.locator(SAVE).click()
    expect(tab.locator("[data-error-summary]")).to_be_focused()
    assert violations(tab) == []
    assert wider_than_the_window(tab) <= 0
    link = tab.locator("[data-error-summary] a").first
    target = link.get_attribute("href")
    link.click()
    expect(tab.locator(f"{target}, {target} input").first).to_be_focused()


def test_detail_16_the_error_summary_takes_focus_and_the_title_begins_with_error_without_script_too(
    browser: Browser, gallery: tuple[Flask, str]
) -> None:
    context = browser.new_context(base_url=gallery[1], java_script_enabled=False)
    page = context.new_page()
    page.goto(FORM)
    page.locator(SAVE).click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    expect(page).to_have_title("錯誤：申請人資料 – 金門縣政府線上申辦 E櫃檯")
    context.close()


# --- autosave --------------------------------------------------------------------------------------------


def status(tab: Page) -> Any:
    return expect(tab.locator("[data-autosave-status]"))


def test_a_draft_is_saved_while_typing_and_the_page_says_when(tab: Page, state: dict[str, Any]) -> None:
    tab.goto(FORM)
    tab.evaluate("document.querySelector('[data-autosave-status]').textContent = ''")
    tab.get_by_label("申請人姓名").fill("陳美玲")
    status(tab).to_have_text("已於 10:32 自動儲存")
    saved = state["drafts"][-1]
    assert saved["applicant_name"] == ["陳美玲"]
    assert saved["version"] == ["1"]
    assert tab.locator("input[name=version]").input_value() == str(len(state["drafts"]))


def test_detail_08_a_failed_save_says_so_and_is_tried_again(tab: Page, state: dict[str, Any]) -> None:
    state["behaviour"] = "fail"
    tab.goto(FORM)
    tab.get_by_label("申請人姓名").fill("陳美玲")
    status(tab).to_have_text("自動儲存失敗，2 秒後再試一次。您填的內容仍在這個頁面上。")
    state["behaviour"] = "ok"
    status(tab).to_have_text("已於 10:32 自動儲存")
    assert state["drafts"][-1]["applicant_name"] == ["陳美玲"]


@pytest.mark.parametrize(("behaviour", "said"), [("fail", "自動儲存失敗"), ("ok", "已於 10:32 自動儲存")])
def test_on_a_phone_it_is_said_where_one_is_typing(
    tab: Page, state: dict[str, Any], behaviour: str, said: str
) -> None:
    state["behaviour"] = behaviour
    tab.set_viewport_size({"width": 360, "height": 640})
    tab.goto(FORM)
    tab.get_by_label("申請人姓名").fill("陳美玲")
    status(tab).to_contain_text(said)
    status(tab).to_be_in_viewport(ratio=1)
    tab.keyboard.press("Tab")
    bar = tab.locator("[data-autosave-status]").bounding_box()
    here = tab.locator(":focus").bounding_box()
    assert bar is not None and here is not None and here["y"] + here["height"] <= bar["y"]


def test_no_network_is_a_failed_save(visitor: BrowserContext, tab: Page, state: dict[str, Any]) -> None:
    tab.goto(FORM)
    visitor.set_offline(True)
    tab.get_by_label("申請人姓名").fill("陳美玲")
    status(tab).to_contain_text("自動儲存失敗")
    visitor.set_offline(False)
    status(tab).to_have_text("已於 10:32 自動儲存")


def test_another_tab_is_not_overwritten(tab: Page, state: dict[str, Any]) -> None:
    state["behaviour"] = "conflict"
    tab.goto(FORM)
    tab.get_by_label("申請人姓名").fill("陳美玲")
    status(tab).to_contain_text("已在另一個分頁或裝置修改")
    expect(tab.get_by_role("link", name="重新載入，看最新的草稿")).to_be_visible()
    state["behaviour"] = "ok"
    with tab.expect_navigation():  # stopped: not even leaving saves
        tab.get_by_role("link", name="上一步").click()
    assert state["drafts"] == []


def test_a_login_that_ran_out_is_told(tab: Page, state: dict[str, Any]) -> None:
    state["behaviour"] = "signed out"
    tab.goto(FORM)
    tab.get_by_label("申請人姓名").fill("陳美玲")
    status(tab).to_contain_text("登入已逾時")


def test_a_link_waits_for_what_was_just_typed(tab: Page, state: dict[str, Any]) -> None:
    tab.goto(FORM)
    tab.get_by_label("申請人姓名").fill("陳美玲")
    tab.get_by_role("link", name="上一步").click()
    expect(tab).to_have_title("申辦項目 – 金門縣政府線上申辦 E櫃檯")
    assert state["drafts"][-1]["applicant_name"] == ["陳美玲"]


def test_a_submit_waits_for_the_save_under_way_and_carries_its_version(
    tab: Page, state: dict[str, Any]
) -> None:
    held: list[Route] = []
    tab.route("**/draft", lambda route: held.append(route))
    tab.goto(FORM)
    with tab.expect_request("**/draft"):
        tab.get_by_label("申請人姓名").fill("陳美玲")
    tab.locator(SAVE).click()
    assert state["submits"] == []
    held[0].fulfill(json={"version": 7, "saved_at": "10:32"})
    expect(tab.locator("[data-error-summary]")).to_be_focused()
    assert state["submits"][0]["version"] == ["7"]
    assert state["submits"][0]["action"] == ["next"]


def test_the_enter_key_saves(tab: Page, state: dict[str, Any]) -> None:
    tab.goto("/form/table/page?parcels-0-section=x")
    tab.locator("#parcels-0-section").press("Enter")
    expect(tab.locator("[data-error-summary]")).to_be_focused()
    assert state["submits"][0]["action"] == ["next"]


def test_what_is_computed_follows_what_is_typed(tab: Page, state: dict[str, Any]) -> None:
    tab.goto("/form/every_type/page")
    expect(tab.locator("#a_computed")).to_be_empty()
    tab.get_by_label("份數").fill("3")
    expect(tab.locator("#a_computed")).to_have_text("60 元")
    tab.get_by_label("數量", exact=True).fill("２")
    tab.get_by_label("單價").fill("1,000")
    expect(tab.locator("#a_table-0-amount")).to_have_text("2,000 元")
    expect(tab.locator("#a_table-total-qty")).to_have_text("2")
    tab.get_by_label("單價").fill("一千")
    expect(tab.locator("#a_table-0-amount")).to_be_empty()
    assert "a_computed" not in state["drafts"][-1]


def test_where_one_stands_fills_in_the_coordinates(visitor: BrowserContext, tab: Page) -> None:
    tab.goto("/form/every_type/page")
    button = tab.get_by_role("button", name="填入我現在的位置")
    point = tab.locator("#a_position-point")
    button.click()
    expect(tab.get_by_text("無法取得位置，請改用文字說明")).to_be_visible()
    visitor.grant_permissions(["geolocation"])
    visitor.set_geolocation({"latitude": 24.4321, "longitude": 118.3171, "accuracy": 11.2})
    button.click()
    expect(point).to_have_value("24.432100,118.317100")
    expect(tab.get_by_text("已填入，誤差約 12 公尺")).to_be_visible()


def tap(page: Page, right: float, down: float) -> None:
    """On the map, at these parts of its width and height."""
    surface = page.locator("[data-map=line] [data-map-surface]")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    assert box is not None
    surface.click(position={"x": box["width"] * right, "y": box["height"] * down})


def points_of(page: Page) -> list[tuple[float, ...]]:
    text = page.locator("#a_route-line").input_value()
    return [tuple(map(float, point.split(","))) for point in text.split(";") if point.strip()]


def test_a_line_is_tapped_on_the_map_and_stays_what_the_text_says(tab: Page) -> None:
    tab.goto("/form/every_type/page")
    chart, line = tab.locator("[data-map=line]"), tab.locator("#a_route-line")
    told, marks = chart.get_by_role("status"), chart.locator(".app-map__point")
    chart.get_by_role("button", name="烈嶼").click()
    tap(tab, 0.5, 0.5)
    assert points_of(tab)[0] == pytest.approx((24.43, 118.25), abs=0.0005), "the middle of the frame"
    # the frame of 烈嶼 is 11.34 km wide, a quarter of it is 0.028°
    tap(tab, 0.75, 0.5)
    assert points_of(tab)[1] == pytest.approx((24.43, 118.2779), abs=0.001)
    expect(told).to_have_text("已標示 2 點，全長約 2.8 公里")
    expect(marks).to_have_count(2)
    chart.get_by_role("button", name="撤銷上一點").click()
    expect(marks).to_have_count(1)

    # beyond the county nothing is set; by keys the cross is moved, and Enter sets
    chart.get_by_role("button", name="大膽、二膽").click()
    chart.get_by_role("button", name="縮小").click()
    chart.get_by_role("button", name="縮小").click()
    tap(tab, 0.02, 0.02)
    expect(told).to_contain_text("不在金門縣內")
    chart.get_by_role("button", name="烏坵").click()
    chart.locator("[data-map-surface]").focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    assert len(points_of(tab)) == 2
    assert points_of(tab)[1] == pytest.approx((24.9875, 119.46), abs=0.005)

    # what is typed is drawn, wrong pieces are left to the server
    line.fill("24.4321,118.3171；somewhere; ２４．４４,118.32\n24.45,118.33")
    expect(marks).to_have_count(3)
    chart.get_by_role("button", name="清除標示").click()
    expect(line).to_have_value("")
    expect(told).to_have_text("還沒有標示")


def test_zooming_keeps_the_mark_in_sight(tab: Page) -> None:
    tab.set_viewport_size({"width": 360, "height": 740})
    tab.goto("/form/every_type/page")
    chart = tab.locator("[data-map=line]")
    chart.get_by_role("button", name="金門全圖").click()
    tap(tab, 0.8, 0.3)
    mark, frame = chart.locator(".app-map__point"), chart.locator("[data-map-surface]")
    before = mark.bounding_box()
    for _press in range(9):
        chart.get_by_role("button", name="放大").click()
    after, around = mark.bounding_box(), frame.bounding_box()
    assert before is not None and after is not None and around is not None
    assert after["x"] + after["width"] / 2 == pytest.approx(before["x"] + before["width"] / 2, abs=2)
    assert around["x"] < after["x"] < around["x"] + around["width"]
    frame.press("+")
    expect(mark).to_be_in_viewport()


# --- uploads ---------------------------------------------------------------------------------------------


def test_detail_18_several_files_are_uploaded_at_once_each_with_its_progress(
    tab: Page, state: dict[str, Any]
) -> None:
    def saved_with_both(request: Request) -> bool:
        return request.url.endswith("/draft") and "extra=extra18&extra=extra5" in (request.post_data or "")

    tab.goto("/form/files/page")
    expect(tab.locator("[data-upload-send]").first).to_be_hidden()
    held: list[Route] = []
    tab.route("**/upload/extra", lambda route: held.append(route))
    with tab.expect_request(saved_with_both):
        tab.locator("#extra").set_input_files([PDF, PDF | {"name": "二.pdf", "buffer": b"12345"}])
        expect(tab.locator("#field-extra").get_by_role("progressbar")).to_have_count(2)
        for name in ("證明.pdf", "二.pdf"):
            expect(tab.locator("#field-extra .app-file").filter(has_text=name)).to_be_visible()
        for _ in range(200):
            if len(held) < 2:
                tab.wait_for_timeout(50)
        first, second = held
        first.continue_()
        second.continue_()
    rows = tab.locator("#field-extra [data-document]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("證明.pdf")
    expect(rows.first).to_contain_text("1\u00a0KB")
    expect(rows.last.locator("button")).to_have_attribute("value", "remove-file:extra:extra5")


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ({"name": "a.exe"}, "這種檔案不能上傳，請改用 PDF。"),
        ({"buffer": b""}, "這個檔案是空的，請重新選擇。"),
        ({"buffer": b"x" * (3 * 1024 * 1024 + 1)}, "檔案超過 3 MB，請縮小後再選一次。"),
        ({"buffer": b"%PDF a virus"}, "這個檔案不安全，不能收件。"),
    ],
)
def test_a_file_that_cannot_be_taken_is_told_why(tab: Page, file: dict[str, Any], told: str) -> None:
    tab.goto("/form/files/page")
    tab.locator("#proof").set_input_files(PDF | file)
    row = tab.locator("#field-proof .app-file--failed")
    expect(row).to_contain_text(told)
    expect(row.get_by_role("button", name="重試")).to_be_hidden()
    row.get_by_role("button", name="取消").click()
    expect(row).to_have_count(0)


def test_more_files_than_allowed_are_refused(tab: Page) -> None:
    tab.goto(FILES)
    tab.locator("#proof").set_input_files([PDF, PDF | {"name": "三.pdf"}])
    expect(tab.locator("#field-proof .app-file--failed")).to_contain_text("最多 2 個檔案")
    expect(tab.locator("#field-proof [data-document]")).to_have_count(2)


def test_detail_18_a_failed_upload_is_tried_again(tab: Page, state: dict[str, Any]) -> None:
    state["behaviour"] = "fail"
    tab.goto("/form/files/page")
    tab.locator("#proof").set_input_files(PDF)
    row = tab.locator("#field-proof .app-file--failed")
    expect(row).to_contain_text("上傳沒有成功，請再試一次。")
    state["behaviour"] = "ok"
    row.get_by_role("button", name="重試").click()
    expect(tab.locator("#field-proof [data-document]")).to_contain_text("證明.pdf")


def test_a_form_is_not_sent_while_a_file_is_on_its_way(tab: Page, state: dict[str, Any]) -> None:
    held: list[Route] = []
    tab.route("**/upload/proof", lambda route: held.append(route))
    tab.goto("/form/files/page")
    with tab.expect_request("**/upload/proof"):
        tab.locator("#proof").set_input_files(PDF)
    tab.locator(SAVE).click()
    expect(tab.locator("#field-proof [data-upload-status]")).to_have_text("檔案還在上傳，完成後再按一次。")
    held[0].fulfill(json={"id": "doc1", "name": "證明.pdf", "size": 18})
    expect(tab.locator("#field-proof [data-document]")).to_have_count(1)
    tab.locator(SAVE).click()
    expect(tab.locator(".govuk-notification-banner").first).to_be_visible()
    assert state["submits"][0]["proof"] == ["doc1"]


# --- polling, double submit, print -----------------------------------------------------------------------


def test_a_part_of_the_page_is_kept_fresh_by_its_etag(tab: Page, state: dict[str, Any]) -> None:
    tab.goto(FORM)
    part = tab.locator("[data-poll-url]")
    expect(part).to_have_text("第 ok 版")
    with tab.expect_response(lambda answer: "/poll" in answer.url and answer.status == 304):
        pass
    state["behaviour"] = "new"
    expect(part).to_have_text("第 new 版")


def test_a_hidden_tab_does_not_poll(tab: Page, state: dict[str, Any]) -> None:
    tab.clock.install()
    tab.goto(FORM)
    tab.evaluate("Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true})")
    tab.evaluate("window.away = true; document.dispatchEvent(new Event('visibilitychange'))")
    tab.clock.run_for(60_000)
    assert state["polls"] == 0
    with tab.expect_response("**/poll"):
        tab.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")


def test_pressing_twice_sends_once(tab: Page, state: dict[str, Any]) -> None:
    tab.goto(FORM)
    stopped = tab.evaluate(
        """(save) => {
          const stopped = [];
          addEventListener("submit", (event) => stopped.push(event.defaultPrevented));
          for (let press = 0; press < 3; press++) document.querySelector(save).click();
          return stopped;
        }""",
        SAVE,
    )
    assert stopped == [False, True, True]
    expect(tab.locator("[data-error-summary]")).to_be_focused()
    assert len(state["submits"]) == 1


def test_printing_leaves_out_what_paper_cannot_do(tab: Page) -> None:
    tab.emulate_media(media="print")
    tab.goto("/components")
    for gone in (".app-header__nav", ".app-demo", ".govuk-back-link", ".govuk-button", ".app-tabs"):
        expect(tab.locator(gone).first).to_be_hidden()
    expect(tab.get_by_role("heading", name="元件一覽")).to_be_visible()
