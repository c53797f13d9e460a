"""The citizens' pages on a phone and with large text; and in a browser that runs no script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import hands, pages
from tests.browser.conftest import NewContext, Visitors
from tests.browser.hands import press
from tests.browser.pages import Look
from tests.browser.town import Town
from webapp.demo.samples import SAMPLES

#: width of the window, size of the text in per cent
SIZES = ((360, 100), (360, 200), (1280, 200))
SIZES_OF_THE_OFFICE = ((360, 100), (1280, 200))

#: what hangs out of the window, is cut, or lies on something else
PROBLEMS = """
() => {
  const unseen = ".govuk-visually-hidden, .govuk-skip-link, [aria-hidden=true]";
  const root = document.documentElement;
  const found = [];
  const name = (e) => `<${e.localName}> ${(e.value || e.textContent).trim().slice(0, 40)}`;
  const clipped = (e) => e && (getComputedStyle(e).clipPath !== "none" || clipped(e.parentElement));
  const seen = (e) => !e.closest(unseen) && e.checkVisibility({ visibilityProperty: true }) && !clipped(e);

  if (root.scrollWidth > root.clientWidth) found.push(`scrolls: ${root.scrollWidth} px`);

  const inputs = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const controls = [...document.querySelectorAll(inputs)]
    .filter(seen);
  // what stands beyond the edge of a box that scrolls is reached by scrolling there
  const reached = (e, box) => {
    const frame = e.closest(".app-scroll")?.getBoundingClientRect();
    return !frame || (box.left >= frame.left - 1 && box.right <= frame.right + 1
      && box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1);
  };
  const boxes = [];
  for (const control of controls) {
    for (const box of control.getClientRects()) {
      if (!reached(control, box)) continue;
      if (box.left < -1 || box.right > root.clientWidth + 1) found.push(`outside: ${name(control)}`);
      boxes.push([control, box]);
    }
  }
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    if (!text.data.trim() || !seen(text.parentElement) || text.parentElement.closest("select, textarea")) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      if (!reached(text.parentElement, box)) continue;
      if (box.left < -1 || box.right > root.clientWidth + 1) found.push(`text outside: ${text.data.trim()}`);
      texts.push([text.parentElement, box]);
    }
  }

  const apart = (a, b) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    // the boxes of lines are a little higher than what is written in them
    return across < 3 || down < Math.max(3, 0.4 * Math.min(a.height, b.height));
  };
  const compare = (things, what) => {
    things.forEach(([one, a], at) => {
      for (const [other, b] of things.slice(at + 1)) {
        if (one === other || one.contains(other) || other.contains(one) || apart(a, b)) continue;
        found.push(`${what}: ${name(one)} and ${name(other)}`);
      }
    });
  };
  compare(boxes, "controls overlap");
  compare(texts, "texts overlap");

  const framed = "button, .govuk-button, .govuk-tag, .app-due, .app-panel, .app-card, .app-row, "
    + ".govuk-inset-text, td, th, dt, dd";
  for (const e of document.querySelectorAll(framed)) {
    if (seen(e) && e.clientWidth && e.scrollWidth > e.clientWidth + 2) found.push(`out of its frame: ${name(e)}`);
  }
  for (const e of document.querySelectorAll("body *")) {
    if (!seen(e) || e.matches("input, select, textarea, progress, img")) continue;
    const { overflowX, overflowY } = getComputedStyle(e);
    const hides = (overflow) => overflow === "hidden" || overflow === "clip";
    if (hides(overflowX) && e.scrollWidth > e.clientWidth + 2) found.push(`cut: ${name(e)}`);
    if (hides(overflowY) && e.scrollHeight > e.clientHeight + 2) found.push(`cut: ${name(e)}`);
  }
  return [...new Set(found)];
}
"""


@pytest.mark.parametrize("look", pages.some([*pages.PUBLIC, *pages.SIGNED_IN]), ids=pages.named)
def test_page_fits(look: Look, visitors: Visitors, town: Town) -> None:
    page = shown(look, visitors, town)
    for width, text in SIZES:
        assert problems(page, width, text) == [], f"{width} px, {text} % text"


@pytest.mark.parametrize("look", pages.some([*pages.OFFICE, *pages.CASES]), ids=pages.named)
def test_page_of_the_office_fits(look: Look, visitors: Visitors, town: Town) -> None:
    page = shown(look, visitors, town)
    for width, text in SIZES_OF_THE_OFFICE:
        assert problems(page, width, text) == [], f"{width} px, {text} % text"


@pytest.mark.parametrize("look", pages.some(pages.IN_ENGLISH), ids=pages.named)
def test_page_in_english_fits(look: Look, visitors: Visitors, town: Town) -> None:
    page = shown(look, visitors, town, "en")
    for width, text in SIZES_OF_THE_OFFICE:
        assert problems(page, width, text) == [], f"{width} px, {text} % text"


def shown(look: Look, visitors: Visitors, town: Town, language: str = "zh") -> Page:
    page = visitors(look.who)
    page.context.add_cookies([{"name": "lang", "value": language, "url": town.address}])
    page.goto(town.path(look.path))
    return page


def problems(page: Page, width: int, text: int) -> list[str]:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    page.evaluate("size => { document.documentElement.style.fontSize = size }", f"{text}%")
    found: list[str] = page.evaluate(PROBLEMS)
    return found


def test_what_does_not_fit_is_noticed(browser: Browser) -> None:
    """The measuring itself: each of its complaints, on a page that deserves them."""
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.set_content(
        """<body style="margin: 0">
        <p style="white-space: nowrap">A line that is a good deal longer than the window, and does not break.</p>
        <button style="position: absolute; top: 100px; left: 0; width: 90px">One</button>
        <button style="position: absolute; top: 105px; left: 40px; width: 90px">Two</button>
        <p style="position: absolute; top: 200px">written over</p>
        <p style="position: absolute; top: 203px">each other</p>
        <div style="position: absolute; top: 300px; width: 50px; height: 10px; overflow: hidden">hidden in its box</div>
        <div class="app-card" style="position: absolute; top: 400px; width: 40px">Unbreakableword</div>"""
    )
    complaints = {each.partition(":")[0] for each in page.evaluate(PROBLEMS)}
    assert complaints == {
        "scrolls", "text outside", "controls overlap", "texts overlap", "out of its frame", "cut",
    }  # fmt: skip
    page.close()


# --- without script -----------------------------------------------------------------------------------------


@pytest.fixture
def plain(new_context: NewContext) -> Page:
    """A browser that runs no script."""
    return new_context(java_script_enabled=False, viewport={"width": 360, "height": 800}).new_page()


def test_detail_17_conditional_questions_come_and_go_without_script(plain: Page) -> None:
    plain.goto("/services/EC06")
    hands.go_on(plain, "不登入，直接申請")
    agent = plain.get_by_label("代理人姓名")
    expect(agent).to_be_hidden()
    plain.get_by_role("radio", name="代理人").check()
    expect(agent).to_be_visible()
    expect(plain.get_by_label("代理人電話")).to_be_visible()
    plain.get_by_role("radio", name="本人").check()
    expect(agent).to_be_hidden()


def test_other_kinds_of_choice_call_for_questions_too(plain: Page) -> None:
    raw = SAMPLES["PW01"]
    plain.goto("/services/PW01")
    hands.go_on(plain, "不登入，直接申請")
    person, company = plain.get_by_label("身分證統一編號"), plain.get_by_label("統一編號", exact=True)
    expect(person.or_(company)).to_have_count(2)
    for kind, shown, hidden in (("個人", person, company), ("機關、學校或團體", company, person)):
        plain.get_by_role("radio", name=kind).check()
        expect(shown).to_be_visible()
        expect(hidden).to_be_hidden()
    hands.fill_in(plain, raw)
    hands.go_on(plain)
    reason, purpose = plain.get_by_label("緊急搶修的原因"), plain.get_by_label("其他目的的說明")
    expect(reason).to_be_hidden()
    plain.get_by_role("group", name="緊急搶修").get_by_role("radio", name="是").check()
    expect(reason).to_be_visible()
    plain.get_by_role("radio", name="其他").check()
    expect(purpose).to_be_visible()


def test_the_form_works_without_script(plain: Page) -> None:
    """From the first question to the number: mistakes, rows, files, back."""
    raw = SAMPLES["EC06"]
    plain.goto("/services/EC06")
    hands.go_on(plain, "不登入，直接申請")
    hands.fill_in(plain, {**raw, "applicant_id": ["A123456788"]})
    press(plain, hands.CONTINUE)
    expect(plain.locator("[data-error-summary]")).to_be_focused()
    expect(plain).to_have_title(re.compile("^錯誤："))
    plain.locator("[data-error-summary]").get_by_role("link").click()
    expect(plain.locator("#applicant_id:target")).to_have_value("A123456788")
    hands.fill_in(plain, raw)
    hands.go_on(plain)
    hands.add_rows(plain, raw, "parcels")
    hands.fill_in(plain, raw)
    hands.go_on(plain)
    press(plain, "上一步")
    expect(plain.get_by_label("地號")).to_have_count(2)
    hands.go_on(plain)
    hands.fill_in(plain, raw)
    hands.go_on(plain)
    for key in ("land_register", "cadastral_map", "identity_proof"):
        box = plain.locator(f"#field-{key}")
        box.locator("input[type=file]").set_input_files([hands.a_file(f"{key}.png")])
        box.get_by_role("button", name="上傳").click()
        expect(box.locator("[data-document]")).to_have_count(1)
    hands.go_on(plain)
    hands.fill_in(plain, raw)
    hands.go_on(plain)
    hands.send(plain)
