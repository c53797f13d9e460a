"""What people do in a browser: sign in, fill in, upload, act, wait for a paper. Steps that browser tests share."""

from __future__ import annotations

import os
import re
import time

from playwright.sync_api import FilePayload, Locator, Page, TimeoutError, expect

from tests.visitor import pdf_text
from tests.walks import SECONDS_TO_PRINT
from webapp import demo
from webapp.demo.samples import Raw, picture

REVIEW = "檢查您填的內容"
CONTINUE = "儲存並繼續"
#: longer forms than this do not exist
MOST_STEPS = 12
A_LOOK_MS = 500


def main(page: Page) -> Locator:
    return page.get_by_role("main")


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def follow(page: Page, link: str | re.Pattern[str]) -> None:
    """Waits for the page behind the link: what reads a page at once must not read the one before."""
    before = page.url
    main(page).get_by_role("link", name=link, exact=True).click()
    page.wait_for_url(lambda url: url != before)


def press(page: Page, button: str) -> None:
    main(page).get_by_role("button", name=button, exact=True).click()


def sign_in(page: Page, login: str) -> None:
    """With the password of the demonstration accounts; staff are then before their inbox."""
    page.goto("/sign-in")
    page.get_by_label("電子郵件").fill(demo.login(login))
    page.get_by_label("密碼").fill(demo.password(os.environ["SECRET_KEY"]))
    press(page, "登入")
    expect(page.get_by_role("button", name="登出")).to_be_visible()


# --- filling in ---------------------------------------------------------------------------------------------


def fill_in(page: Page, raw: Raw) -> None:
    """Every input of the page that the answers name, in their order: a choice may call for what comes after it."""
    here = set(page.eval_on_selector_all("main form [name]", "inputs => inputs.map(each => each.name)"))
    for name, values in raw.items():
        if name in here:
            _fill(page.locator(f"main form [name='{name}']"), values)


def _fill(inputs: Locator, values: list[str]) -> None:
    first = inputs.first
    kind = first.evaluate("each => each.tagName === 'SELECT' ? 'select' : each.type")
    if kind in ("radio", "checkbox"):
        for value in values:
            inputs.and_(inputs.page.locator(f"[value='{value}']")).check()
    elif kind == "select":
        first.select_option(values)
    else:
        first.fill(values[0])


def add_rows(page: Page, raw: Raw, table: str, button: str = "新增一列") -> None:
    """As many rows as the answers have."""
    wanted = {int(name.split("-")[1]) for name in raw if name.startswith(f"{table}-")}
    box = page.locator(f"#field-{table}")
    for number in sorted(wanted):
        if not box.locator(f"[name^='{table}-{number}-']").count():
            box.get_by_role("button", name=button).click()
            expect(box.locator(f"[name^='{table}-{number}-']").first).to_be_visible()


def a_file(name: str, seed: int = 0) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": picture(seed)}


def upload(page: Page, key: str, *files: FilePayload) -> None:
    """Sends files of a field by script, and waits until they are documents."""
    box = page.locator(f"#field-{key}")
    documents = box.locator("[data-document]")
    before = documents.count()
    box.locator("input[type=file]").set_input_files(list(files))
    expect(documents).to_have_count(before + len(files))


def upload_everything(page: Page) -> None:
    """A picture for every file that the page asks for and has none of."""
    for box in page.locator("[id^=field-]:has([data-upload-url])").all():
        if box.is_visible() and not box.locator("[data-document]").count():
            key = str(box.get_attribute("id")).removeprefix("field-")
            upload(page, key, a_file(f"{key}.png"))


def go_on(page: Page, button: str = CONTINUE) -> None:
    """Presses the button and waits for the page after it."""
    before = page.url
    press(page, button)
    page.wait_for_url(lambda url: url != before)


def fill_in_the_rest(page: Page, raw: Raw) -> None:
    """From the present step to the review page."""
    for _step in range(MOST_STEPS):
        if heading(page).inner_text() == REVIEW:
            return
        for table in {name.split("-")[0] for name in raw if re.fullmatch(r"\w+-\d+-\w+", name)}:
            if page.locator(f"#field-{table}").count():
                add_rows(page, raw, table)
        fill_in(page, raw)
        upload_everything(page)
        go_on(page)
    raise AssertionError(f"never came to the review: {heading(page).inner_text()}")


def send(page: Page) -> str:
    """Sends the application on the review page. Returns the case number."""
    press(page, "送出申請")
    expect(heading(page)).to_have_text("已收到您的申請")
    return page.locator(".govuk-panel .app-code").inner_text()


# --- deciding -----------------------------------------------------------------------------------------------


def open_case(officer: Page, number: str, tab: str = "我的待辦") -> None:
    """From the inbox, where the case must stand."""
    officer.goto("/staff/inbox")
    tabs = officer.get_by_role("navigation", name="待辦")
    tabs.get_by_role("link", name=re.compile(f"^{tab}")).click()
    expect(heading(officer)).to_contain_text(tab)
    officer.get_by_role("link", name=number).click()
    expect(heading(officer)).to_have_text(number)


def begin(officer: Page, action: str) -> None:
    """The page of an action, from the case page."""
    follow(officer, action)
    expect(heading(officer)).to_have_text(action)


def confirm(officer: Page, number: str, action: str) -> None:
    """Sends what the page of an action asks for."""
    press(officer, action)
    done = officer.get_by_text(f"{number} 已完成「{action}」")
    expect(done).to_be_visible()


def act(officer: Page, number: str, action: str) -> None:
    """An action that needs nothing to be typed."""
    begin(officer, action)
    confirm(officer, number, action)


# --- papers ---------------------------------------------------------------------------------------------------


def reload_until(page: Page, wanted: Locator) -> None:
    """For what the worker does in its own time, while everything else runs on the same two cores."""
    until = time.monotonic() + SECONDS_TO_PRINT
    while True:
        try:
            wanted.wait_for(timeout=A_LOOK_MS)
            return
        except TimeoutError:
            assert time.monotonic() < until, f"never came: {wanted}"
            page.reload()


def paper(page: Page, link: str) -> str:
    """The text of a PDF that a link leads to, without its line breaks, which Chinese does not need."""
    address = page.get_by_role("link", name=link).get_attribute("href")
    assert address is not None
    answer = page.request.get(address)
    assert answer.status == 200, answer.status_text
    assert answer.headers["content-type"] == "application/pdf"
    return "".join(pdf_text(answer.body()).split())
