"""Whoever chose English reads English: every page on the way of a case, its mistakes and its messages.

Chinese stays where it is a proper name, or where the page marks it as Chinese: letters, and names of acts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from bs4 import NavigableString, Tag
from flask import Flask
from sqlalchemy import select

from tests import walks
from tests.journeys import NOW, citizen, submitted, take
from tests.officers import at, case_of, made, officer_of, signed_in
from tests.visitor import Page, Visitor, in_process
from webapp import demo
from webapp.demo.samples import SAMPLES, Raw, day, picture
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Effect

CHINESE = re.compile("[\u3001-\u303f\u3400-\u9fff\uff00-\uffef]")
#: names of people, of a land section, of a letter, and of the login that the demonstration invents
NAMES = re.compile(
    "|".join(
        [
            *(name for _login, name, _seats in demo.directory()),
            "后湖段",
            "府建農字第[0-9]+號",
        ]
    )
)
#: attributes that people see or hear; those of `data-` carry what scripts say
SAID = ("alt", "aria-label", "placeholder", "title", "value")
TYPED = {
    "applicant_name": "Lin Mei-ling",
    "address-village": "Xikou",
    "address-detail": "No. 12, Shuangkou",
    "pet_name": "Blackie",
    "clinic": "Jincheng Animal Hospital",
    "bank-holder": "Lin Mei-ling",
    "parcels-0-section": "Doumen",
    "parcels-1-section": "Doumen",
    "parcels-0-share": "all",
    "current_crops": "Sorghum",
    "inspection_contact": "Lin Mei-ling 0912-345-678",
    "contact_name": "Wang Ta-ming",
    "responsible_name": "Lin Yung-chang",
    "road_name": "Huandao North Road, Section 2",
    "route-description": "From no. 100 to no. 120, along the slow lane",
    "contractor": "Yongchang Construction",
    "site_manager": "Lee Chih-chiang",
}


def sample(code: str) -> Raw:
    return {key: [TYPED.get(key, value) for value in values] for key, values in SAMPLES[code].items()}


def chinese(page: Page) -> list[str]:
    found = (" ".join(NAMES.sub("", text).split()) for text in said(page.soup))
    return [text for text in found if CHINESE.search(text)]


def said(tag: Tag) -> Iterator[str]:
    """What a page says outside the parts that it marks as Chinese."""
    if str(tag.get("lang", "")).startswith("zh"):
        return
    yield from (str(value) for name, value in tag.attrs.items() if name in SAID or name.startswith("data-"))
    for child in tag.children:
        if isinstance(child, Tag):
            yield from said(child)
        elif type(child) is NavigableString:
            yield str(child)


def english(visitor: Visitor) -> Visitor:
    """Chooses English and looks at every page from then on."""
    visitor.get("/language/en?next=/help")
    send = visitor.send

    def looking(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        page = send(method, path, body, headers)
        if page.headers["Content-Type"].startswith("text/html") and "Location" not in page.headers:
            assert page.soup.html["lang"] == "en", page
            assert chinese(page) == [], page
        return page

    visitor.send = looking
    return visitor


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at(app, monkeypatch, NOW)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return english(in_process(app.test_client()))


def desk(app: Flask, login: str, case: str) -> Visitor:
    """An officer before a case, who has looked through the inbox."""
    officer = english(signed_in(app, login))
    officer.get("/staff/inbox")
    for tab in officer.page.soup.select(".app-side a"):
        officer.get(str(tab["href"]))
    officer.get(f"/staff/cases/{case}")
    return officer


def applied(app: Flask, code: str) -> str:
    """A case of somebody who applied in English."""

    def apply() -> str:
        return submitted(code, actor=replace(citizen(), language="en"), **sample(code)).public_id

    return made(app, apply)


def holder(app: Flask, case: str) -> str:
    return made(app, lambda: officer_of(case_of(case)))


def worker(app: Flask) -> None:
    """Sends and prints what is waiting."""
    with app.app_context():
        waiting = list(
            db.session.scalars(select(Effect.id).where(Effect.state == "pending").order_by(Effect.id))
        )
    for effect in waiting:
        with app.app_context():
            perform_effect(effect)


# --- citizens ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/", "/?q=dog", "/?q=passport", "/services/EC06", "/services/EC09?eligible=no", "/services/PW01",
        "/help", "/privacy", "/accessibility", "/outbox", "/applications", "/nowhere",
    ],
)  # fmt: skip
def test_pages_before_an_application(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).heading


def test_signing_in_and_tracking(visitor: Visitor) -> None:
    visitor.get("/track")
    assert visitor.press("Find the case").mistakes == [
        "The case number or the code is not right. Check them against the receipt or the message."
    ]
    visitor.get("/register")
    assert len(visitor.press("Register and sign in").mistakes) == 3
    visitor.get("/sign-in/mobile")
    assert visitor.press("Send the code").mistakes == ["Enter a mobile number like 0912-345-678."]
    visitor.press("Send the code", {"mobile": "0912-345-678"})
    assert visitor.press("Sign in").mistakes
    visitor.get("/sign-in")
    assert visitor.press("Sign in", within="main").mistakes


@pytest.mark.parametrize("code", sorted(SAMPLES))
def test_applying_step_by_step_and_withdrawing(visitor: Visitor, code: str) -> None:
    visitor.get(f"/services/{code}")
    visitor.press("Apply without signing in")
    while visitor.page.heading != "Check your answers":
        step = visitor.page.path
        if visitor.press("continue").path == step:
            assert visitor.page.mistakes
            assert walks.fill_in_step(visitor, sample(code), "continue").path != step, visitor.page
    assert "9 March 1958" in visitor.page.text or code == "PW01"
    page = visitor.press("Submit the application")
    assert page.heading.startswith("We have received your application")
    assert "25 September 2025" in page.text
    visitor.follow("See the progress")
    visitor.follow("Withdraw the application")
    assert "You have withdrawn your application" in visitor.press("Withdraw").text
    visitor.get("/applications")


# --- officers ---------------------------------------------------------------------------------------------


def test_correcting_deciding_and_reading_the_decision(app: Flask) -> None:
    case = applied(app, "EC09")
    officer = desk(app, holder(app, case), case)
    officer.follow("Ask for a correction")
    assert officer.press("send").mistakes == ["Choose the fields to be corrected.", "Give a reason."]
    asked = {"fields": ["amount", "receipt"], "comment": "The receipt cannot be read."}
    assert "13 October 2025" in officer.press("preview", asked).text
    officer.press("send")
    desk(app, "lin.yahan", case)

    applicant = english(signed_in(app, "chen.meiling"))
    applicant.get(f"/applications/{case}")
    applicant.follow("Start the correction")
    assert applicant.press("continue", {"amount": "lots"}).mistakes
    applicant.press("continue", {"amount": "3200"})
    assert "NT$ 3,200" in applicant.get(f"/applications/{case}").text

    officer = desk(app, holder(app, case), case)
    assert "NT$ 3,200 Before: NT$ 3,500" in officer.page.text
    officer.follow("Propose approval")
    officer.press("preview", {"amount-subsidy": "2000"})
    officer.press("send")
    head = desk(app, holder(app, case), case)
    head.follow("Approve and issue")
    head.press("preview")
    head.press("send")
    worker(app)
    assert "Approved" in applicant.get(f"/applications/{case}").text
    assert "Approved: Subsidy for neutering" in applicant.get("/outbox").text
    desk(app, "lin.yahan", case)
    desk(app, "chen.shufen", case)


def test_asking_other_units(app: Flask) -> None:
    case = applied(app, "PW01")
    officer = desk(app, holder(app, case), case)
    officer.follow("Send to the other units")
    officer.press("send")
    police = desk(app, "dong.weilun", case)
    police.follow("Send the opinion")
    assert police.press("send").mistakes == ["Conclusion: choose an option"]
    police.press("send", {"opinion": "disagree", "comment": "Not during the festival."})
    environment = desk(app, "lv.xinyi", case)
    environment.follow("Send the opinion")
    environment.press("send", {"opinion": "agree_with_conditions", "conditions": "Not at night."})
    officer = desk(app, holder(app, case), case)
    assert "Disagree" in officer.page.text
    officer.follow("Ask the units again")
    assert officer.press("send").mistakes == ["Give a reason."]


def test_an_inspection(app: Flask) -> None:
    case = applied(app, "EC06")
    made(app, lambda: take(case_of(case), "pass_papers"))
    officer = desk(app, holder(app, case), case)
    officer.follow("Announce the date")
    assert officer.press("send").mistakes
    when = {f"date-{part}": value for part, value in (("year", "2025"), ("month", "9"), ("day", "25"))}
    assert "25 September 2025" in officer.press("preview", when).text
    officer.press("send")
    inspector = desk(app, "ou.yijun", case)
    inspector.follow("Ask for an improvement")
    assert inspector.press("send").mistakes
    record = {
        **day("inspected_on", NOW.date()),
        "use_matches": "no",
        "findings": "A shed stands on the parcel.",
        "result": "improve",
        "improvements": "Take the shed down.",
        "comment": "Take the shed down.",
    }
    inspector.press("send", record, files={"photos-upload": [("shed.png", picture())]})
    assert "A shed stands" in desk(app, "weng.guoliang", case).page.text
    applicant = english(signed_in(app, "chen.meiling"))
    applicant.get(f"/applications/{case}")
    assert applicant.follow("Report the improvement").heading == "Report the improvement"


def test_the_counter(app: Flask) -> None:
    clerk = english(signed_in(app, "huang.meilan"))
    for path in ("/staff/intake", "/staff/intake?q=dog", "/staff/intake?q=passport", "/staff/search?q=x"):
        clerk.get(path)
    clerk.get("/staff/intake?service=EC09")
    assert clerk.press("Fill in the form").mistakes
    received = {"channel": "counter", **day("received", NOW.date())}
    assert clerk.press("Fill in the form", received).mistakes == []
