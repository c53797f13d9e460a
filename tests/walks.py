"""How people walk through the counter: sign in, apply, decide. Steps of several tests, on the pages that exist."""

from __future__ import annotations

import io
import os
import re
import time

from bs4 import Tag
from pypdf import PdfWriter

from tests.visitor import Fill, Form, Page, Visitor
from webapp import demo
from webapp.demo.samples import Raw, picture

REVIEW = "檢查您填的內容"
RECEIVED = "已收到您的申請"
#: how long a letter or receipt may take to be printed while everything else runs on the same two cores
SECONDS_TO_PRINT = 90
NUMBER = re.compile(r"[A-Z]{2}\d{2}-\d{3}-\d{6}")


def sign_in(visitor: Visitor, login: str) -> Page:
    visitor.get("/sign-in")
    return give_password(visitor, demo.login(login))


def give_password(visitor: Visitor, email: str, password: str | None = None) -> Page:
    typed = {"email": email, "password": password or demo.password(os.environ["SECRET_KEY"])}
    page = visitor.press("登入", typed)
    assert page.status == 200, page
    return page


# --- applying ---------------------------------------------------------------------------------------------


def fill_in_the_rest(visitor: Visitor, raw: Raw) -> Page:
    """From the present step to the review page."""
    for _step in range(12):
        if visitor.page.heading == REVIEW:
            return visitor.page
        before = visitor.page.path
        page = fill_in_step(visitor, raw)
        assert page.status == 200 and page.path != before, page
    raise AssertionError(f"never came to the review: {visitor.page}")


def fill_in_step(visitor: Visitor, raw: Raw, button: str = "儲存並繼續") -> Page:
    """Every input of the page that the answers name, and a picture for every file that is asked for."""
    while missing := missing_row(visitor.page.form_with("version"), raw):
        visitor.press(f"add-row:{missing}", known(visitor.page, raw))
    form = visitor.page.form_with("version")
    files = {str(tag["name"]): [document(tag)] for tag in form.tag.select("input[type=file]")}
    return visitor.press(button, known(visitor.page, raw), files=files)


def document(upload: Tag) -> tuple[str, bytes]:
    """A picture, or an empty page where only papers are taken."""
    if "png" in str(upload.get("accept", "png")):
        return f"{upload['name']}.png", picture()
    paper, content = PdfWriter(), io.BytesIO()
    paper.add_blank_page(595, 842)
    paper.write(content)
    return f"{upload['name']}.pdf", content.getvalue()


def known(page: Page, raw: Raw) -> Fill:
    names = page.form_with("version").names
    return {name: values for name, values in raw.items() if name in names}


def missing_row(form: Form, raw: Raw) -> str | None:
    """The table on this page that has fewer rows than the answers."""
    for name in raw:
        table, _dash, rest = name.partition("-")
        number, dash, _column = rest.partition("-")
        if dash and number.isdigit() and name not in form.names and f"add-row:{table}" in str(form.tag):
            return table
    return None


def send(visitor: Visitor) -> str:
    """Sends the application on the review page. Returns the case number."""
    page = visitor.press("送出申請")
    assert page.heading.startswith(RECEIVED), page
    return number_on(page)


def number_on(page: Page) -> str:
    found = NUMBER.search(page.text)
    assert found, page.text
    return found.group()


def printed(visitor: Visitor, link: str, path: str) -> str:
    """The text of a PDF that the worker prints, as soon as the page at `path` leads to it."""
    until = deadline()
    while True:
        page = visitor.get(path)
        if page.links(link) and visitor.follow(link).status == 200:
            return visitor.page.pdf_text
        wait_a_little(until, f"{link} was not printed: {page}\n{page.text}")


def deadline(seconds: float = SECONDS_TO_PRINT) -> float:
    return time.monotonic() + seconds


def wait_a_little(until: float, or_else: str) -> None:
    assert time.monotonic() < until, or_else
    time.sleep(0.3)


# --- deciding ---------------------------------------------------------------------------------------------


def open_case(officer: Visitor, number: str, tab: str = "我的待辦") -> Page:
    """From the inbox, where the case must stand."""
    officer.get("/staff/inbox")
    officer.follow(tab)
    turn_to(officer, number)
    page = officer.follow(number)
    assert page.heading == number, page
    return page


def turn_to(officer: Visitor, number: str) -> None:
    """The page of the tab on which the case stands."""
    assert finds(officer, number), f"{number} is not in the tab: {officer.page}"


def finds(officer: Visitor, number: str) -> bool:
    """Whether the case stands in the tab, however many pages it has."""
    while not officer.page.links(number):
        if not officer.page.links("下一頁"):
            return False
        officer.follow("下一頁")
    return True


def act(officer: Visitor, label: str, fill: Fill | None = None, **more: object) -> Page:
    """An action on the case page: opens it, fills in what it asks for, sends."""
    officer.follow(label)
    page = officer.press("send", fill, **more)
    assert page.status == 200, page
    return page
