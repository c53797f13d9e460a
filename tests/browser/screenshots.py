"""The pictures of the README: `python -m tests.browser.screenshots` makes them anew in docs/screens.

They come from a counter of their own whose clock stands still, so only what looks different changes. The page of
the letter needs pdftoppm (Debian: poppler-utils).
"""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import current_app
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from tests.browser import hands
from tests.browser.hands import follow, press
from tests.browser.town import Town, opened, work
from tests.browser.windows import launched, open_context
from tests.conftest import SECRETS, TEMPLATE
from tests.databases import Databases, server
from tests.journeys import account, officer, open_tasks, submitted, take
from tests.officers import corrected
from webapp import setup
from webapp.demo.samples import SAMPLES, day, picture
from webapp.extensions import db
from webapp.models import Case
from webapp.moments import taipei_day
from webapp.queries import definitions
from webapp.services import cases, documents, tasks
from webapp.uow import unit_of_work
from workflows.calendar import WorkingCalendar

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screens"
MOST_BYTES = 200_000
#: Thursday, 10:32 in Taipei, three days after a public holiday
NOW = datetime(2026, 10, 29, 2, 32, tzinfo=UTC)
TODAY = taipei_day(NOW)
WORKING = WorkingCalendar()

WIDE, PHONE = 1280, 360
OFFICER, HEAD = "ou.yijun", "cai.wenxiong"
#: who else applied, how many working days are left, and how far the case is
OTHERS = (
    ("李宗翰", -3, "schedule"),
    ("許文豪", 0, "review"),
    ("王秀英", 0, "corrected"),
    ("黃淑娟", 6, "inspect"),
    ("楊雅婷", 11, "review"),
    ("蔡佳穎", 14, "conclude"),
    ("翁志強", 17, "review"),
)


def working_days_ago(days: int) -> datetime:
    past = TODAY
    for _ in range(days):
        past -= timedelta(days=1)
        while not WORKING.is_working_day(past):
            past -= timedelta(days=1)
    return NOW - (TODAY - past)


# --- what stands there -----------------------------------------------------------------------------------


def settle() -> dict[str, str]:
    current_app.config["BASE_URL"] = "https://ecounter.example"  # on the letter, and in its QR code
    for name, days_left, state in OTHERS:
        _land(state, working_days_ago(20 - days_left), applicant_name=[name])
    granted = _land("granted", working_days_ago(15))
    work(granted, "letter")
    return {
        "tracked": _land("inspect", working_days_ago(9), corrected_first=True).public_id,
        "proposed": _land("approve", working_days_ago(12), applicant_name=["洪文德"]).public_id,
        "granted": granted.public_id,
    }


def _land(until: str, filed: datetime, corrected_first: bool = False, **changes: list[str]) -> Case:
    """A case as far as a state, some days between one step and the next."""
    case = submitted("EC06", filed, **changes)
    _accepted(case, filed)
    now = filed + timedelta(days=1)
    if corrected_first or until == "corrected":
        reason = "請補上休耕的地號，並換成清楚的地籍圖。"
        asked = ("current_crops", "cadastral_map")
        take(case, "request_correction", OFFICER, now, fields=asked, comment=reason)
        now += timedelta(days=4)
        corrected(case, now, current_crops=["高粱，124 地號休耕"])
        _accepted(case, now)
    if until in ("review", "corrected"):
        return case
    take(case, "pass_papers", OFFICER, now)
    _accepted(case, now)
    if until == "schedule":
        return case
    visit = TODAY + timedelta(days=5) if until == "inspect" else taipei_day(now)
    take(case, "schedule", OFFICER, now, on_date=visit)
    _accepted(case, now)
    if until == "inspect":
        return case
    _visit(case, now)
    if until == "conclude":
        take(case, "send_back", HEAD, now, comment="請補充北側的使用情形。")
        _accepted(case, now)
    if until == "granted":
        take(case, "approve", HEAD, NOW)
    return case


def _accepted(case: Case, now: datetime) -> None:
    [task] = open_tasks(case)
    with unit_of_work():
        task.assignee_id = task.assignee_id or account(OFFICER).id
        tasks.claim(officer(OFFICER, now), task, now)


def _visit(case: Case, now: datetime) -> None:
    [task] = open_tasks(case)
    photos = definitions.current_form("inspection_record", TODAY).field("photos")
    with unit_of_work():
        documents.upload(officer(OFFICER, now), cases.upload_key(task), photos, "東側.png", picture(3), now)
    raw = {
        **day("inspected_on", taipei_day(now)),
        "use_matches": ["yes"],
        "findings": ["全區種植高粱，未見違規使用。"],
        "result": ["pass"],
    }
    take(case, "pass", OFFICER, now, raw=raw)


# --- taking pictures --------------------------------------------------------------------------------------


def keep(name: str, image: Image.Image) -> None:
    """As few colours as it takes to stay small."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for colours in (256, 128, 64):
        buffer = io.BytesIO()
        few = image.convert("RGB").quantize(colours, dither=Image.Dither.NONE)
        few.save(buffer, "PNG", optimize=True)
        if buffer.tell() < MOST_BYTES:
            break
    else:
        raise ValueError(f"{name} stays larger than {MOST_BYTES} bytes")
    (FOLDER / f"{name}.png").write_bytes(buffer.getvalue())
    print(f"{name}.png  {image.width}×{image.height}  {buffer.tell() // 1024} KB", flush=True)


def shoot(page: Page, name: str, height: int = 900) -> None:
    keep(name, seen(page, height))


def seen(page: Page, height: int) -> Image.Image:
    width = page.viewport_size["width"] if page.viewport_size else WIDE
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("document.activeElement.matches('[data-error-summary]') || document.activeElement.blur()")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")
    return Image.open(io.BytesIO(page.screenshot()))


def citizens(page: Page, town: Town) -> None:
    raw = SAMPLES["EC06"]
    page.goto("/")
    shoot(page, "catalogue", 1240)
    page.goto("/services/EC06")
    shoot(page, "start", 1100)
    hands.sign_in(page, "chen.meiling")
    page.goto("/services/EC06")
    if page.get_by_label("帶入我先前申請時填過的資料").count():
        page.get_by_label("帶入我先前申請時填過的資料").uncheck()
    hands.go_on(page, "開始申請")
    hands.fill_in(
        page, {**raw, "applicant_id": ["Ａ123456788"], "birth_date-day": ["32"], "filed_by": ["agent"]}
    )
    page.get_by_label("代理人電話").fill("0912-345-678")
    press(page, hands.CONTINUE)
    expect(page.locator("[data-error-summary]")).to_be_focused()
    shoot(page, "form", 1180)
    hands.fill_in(page, raw)
    hands.go_on(page)
    while page.locator("[data-upload-url]").count() == 0:
        if page.locator("#field-parcels").count():
            hands.add_rows(page, raw, "parcels")
        hands.fill_in(page, raw)
        hands.go_on(page)
    for box in page.locator("[id^=field-]:has([data-upload-url])").all():
        if box.is_visible():
            label = box.locator("label").first.inner_text()
            hands.upload(
                page, str(box.get_attribute("id")).removeprefix("field-"), hands.a_file(f"{label}.png")
            )
    hands.go_on(page)
    hands.fill_in_the_rest(page, raw)
    shoot(page, "review", 1180)
    number = hands.send(page)
    with town.app.app_context():
        work(db.session.scalars(select(Case).where(Case.number == number)).one(), "receipt")
    page.reload()
    shoot(page, "confirmation", 1000)
    page.goto(town.path("/applications/{tracked}"))
    shoot(page, "tracking", 1080)


def officers(officer: Page, head: Page, town: Town) -> None:
    hands.sign_in(officer, OFFICER)
    shoot(officer, "inbox", 740)
    officer.goto(town.path("/staff/cases/{tracked}"))
    shoot(officer, "case", 1180)
    hands.sign_in(head, HEAD)
    head.goto(town.path("/staff/cases/{proposed}"))
    follow(head, "核准並發文")
    shoot(head, "decision", 1000)


def letter(page: Page, town: Town) -> None:
    content = page.request.get(town.path("/applications/{granted}/letter.pdf")).body()
    command = ["pdftoppm", "-png", "-r", "90", "-f", "1", "-l", "1"]
    keep(
        "letter",
        Image.open(
            io.BytesIO(subprocess.run(command, input=content, capture_output=True, check=True).stdout)
        ),
    )


def phone(page: Page, town: Town) -> None:
    """Three pages beside each other."""
    height, gap = 760, 24
    pages = ("/", "/services/EC06", town.path("/applications/{tracked}"))
    sheet = Image.new("RGB", (len(pages) * (PHONE + gap) + gap, height + 2 * gap), "#c9d3d6")
    for at, path in enumerate(pages):
        page.goto(path)
        sheet.paste(seen(page, height), (gap + at * (PHONE + gap), gap))
    keep("phone", sheet)


def take_all(browser: Browser, town: Town) -> None:
    def window(width: int = WIDE) -> Page:
        return open_context(browser, town.address, viewport={"width": width, "height": 900}).new_page()

    visitor = window()
    citizens(visitor, town)
    officers(window(), window(), town)
    letter(visitor, town)
    small = window(PHONE)
    hands.sign_in(small, "chen.meiling")
    phone(small, town)


def main() -> None:
    os.environ.update(SECRETS)
    with server() as url, tempfile.TemporaryDirectory() as fonts:
        databases = Databases(url)
        setup.prepare(databases.create(TEMPLATE))
        try:
            with (
                opened(databases.create("pictures", TEMPLATE), NOW, settle) as town,
                launched(Path(fonts)) as browser,
            ):
                take_all(browser, town)
        finally:
            databases.drop_all()


if __name__ == "__main__":
    main()
