"""Whatever is put into an address, a query or a form: a page that says what is wrong, never a crash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from sqlalchemy import select

from tests import journeys, officers
from tests.visitor import Page, Visitor, in_process
from webapp.extensions import db
from webapp.models import Draft
from webapp.moments import utc_now
from webapp.uow import unit_of_work

HOSTILE = [
    b"\x00",
    b"A\x00B" * 10,
    b"\xed\xa0\x80",
    b"\xff\xfe\xfd",
    b'\' OR 1=1; DROP TABLE "case"; --',
    b"%s%(x)s{0}{case.number}{{7*7}}",
    b"<script>alert(1)</script>",
    b"../../../../etc/passwd",
    "．．／ｅｔｃ\u202e\ufffe".encode(),
    b"-1",
    b"9" * 400,
    b"1e999",
    b"x" * 100_000,
]
#: one of each kind always, all of them in the full run
VALUES = pytest.mark.parametrize(
    "values",
    [
        pytest.param([HOSTILE[1], HOSTILE[3], HOSTILE[6], HOSTILE[-1]], id="some"),
        pytest.param(HOSTILE, id="all", marks=pytest.mark.full),
    ],
)
QUERY = (
    "q",
    "tab",
    "after",
    "before",
    "service",
    "channel",
    "number",
    "next",
    "part",
    "eligible",
    "task",
    "return",
)
#: names of inputs of all pages
INPUTS = (
    "email", "password", "name", "mobile", "code", "next", "pending", "number", "action", "version", "proof", "reuse",
    "channel", "service", "note", "originals", "comment", "conditions", "fields", "opinion",
    *(f"{date}-{part}" for date in ("received", "postmarked", "date") for part in ("year", "month", "day")),
    "applicant_name", "applicant_id", "birth_date-year", "phone", "address-township", "address-detail", "filed_by",
    "pet_name", "species", "chip_no", "amount", "bank-account", "surgery_proof", "agree_truth",
)  # fmt: skip
ACTIONS = (
    b"continue", b"save", b"send", b"preview", b"back", b"upload:surgery_proof", b"upload:nothing", b"upload:pet_name",
    b"remove-file:surgery_proof:x", b"remove-file:pet_name:\x00", b"add-row:pet_name", b"remove-row:x:\x00",
    b"reuse:x:y",
)  # fmt: skip


@pytest.fixture
def people(app: Flask, committed: None) -> dict[str, Visitor]:
    return {
        "anonymous": in_process(app.test_client()),
        "citizen": officers.signed_in(app, "chen.meiling"),
        "officer": officers.signed_in(app, "chen.shufen"),
        "clerk": officers.signed_in(app, "huang.meilan"),
    }


@pytest.fixture
def ids(app: Flask, people: dict[str, Visitor]) -> dict[str, str]:
    """A draft, a case under correction and one under review, by the names that the routes use."""
    return officers.made(app, _make)


def _make() -> dict[str, str]:
    now = utc_now()
    waiting, open_case = journeys.submitted("EC09", now), journeys.submitted("EC09", now)
    journeys.take(
        waiting, "request_correction", now=now, fields=("pet_name", "surgery_proof"), comment="請補。"
    )
    journeys.take(open_case, "propose_rejection", now=now, comment="不符。")
    (task,) = journeys.open_tasks(open_case)
    with unit_of_work():
        draft = journeys.draft("EC09", journeys.citizen(), now)
    return {
        "pid": waiting.public_id, "decide": open_case.public_id, "task": task.public_id, "key": draft.public_id,
        "doc": draft.raw["surgery_proof"][0], "code": "EC09", "section": "pet", "field": "surgery_proof",
        "field_key": "photos", "name": "confirm_rejection", "revision": "1", "filename": "css/app.css",
    }  # fmt: skip


def _routes(app: Flask, method: str) -> Iterator[str]:
    """All but those that end the walk, and the PDFs, which take long and read nothing but the id."""
    for rule in app.url_map.iter_rules():
        ends = rule.endpoint in ("auth.sign_out", "citizen.discard") or rule.rule.endswith(".pdf")
        if method in (rule.methods or ()) and not ends:
            yield rule.rule


def _path(rule: str, ids: dict[str, str], hostile: dict[str, bytes] | None = None) -> str:
    """The address of a rule with real ids, some of them replaced."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if hostile and name in hostile:
            return quote(hostile[name][:2000], safe="")
        if name == "pid" and rule.startswith("/staff"):
            return ids["task"] if "/tasks/" in rule else ids["decide"]
        return "zh" if "any(" in match.group(0) else ids.get(name, "1")

    return re.sub(r"<(?:[^:>]+:)?(\w+)>", value, rule)


def _whose(people: dict[str, Visitor], rule: str) -> Visitor:
    """Whoever gets furthest there."""
    if rule.startswith("/staff/intake"):
        return people["clerk"]
    if rule.startswith("/staff"):
        return people["officer"]
    is_door = rule in ("/track", "/register") or rule.startswith("/sign-in")
    return people["anonymous" if is_door else "citizen"]


def _is_fine(page: Page, what: object) -> None:
    assert page.status < 500, f"{what}: {page}"
    if page.status >= 400 and "html" in page.headers["Content-Type"]:
        assert re.search("[一-鿿]{4}", page.text), f"{what}: no word of what is wrong: {page}"


@VALUES
def test_hostile_ids_in_addresses(
    app: Flask, people: dict[str, Visitor], ids: dict[str, str], values: list[bytes]
) -> None:
    for method in ("GET", "POST"):
        for rule in _routes(app, method):
            for name in re.findall(r"<(?:[^:>]+:)?(\w+)>", rule):
                for value in values:
                    path = _path(rule, ids, {name: value})
                    page = _whose(people, rule).send(method, path, b"" if method == "POST" else None, {})
                    _is_fine(page, (method, rule, name, value[:40]))
                    assert not (page.status == 200 and method == "POST"), (rule, name, value[:40])


@VALUES
def test_hostile_queries(
    app: Flask, people: dict[str, Visitor], ids: dict[str, str], values: list[bytes]
) -> None:
    for rule in _routes(app, "GET"):
        for value in values:
            query = urlencode(dict.fromkeys(QUERY, value[:4000]))
            page = _whose(people, rule).send("GET", f"{_path(rule, ids)}?{query}", None, {})
            _is_fine(page, (rule, value[:40]))
            assert b"<script>alert(1)" not in page.content


@VALUES
def test_hostile_forms(
    app: Flask, people: dict[str, Visitor], ids: dict[str, str], values: list[bytes]
) -> None:
    for value in values:
        for rule in _routes(app, "POST"):
            _is_fine(_post(app, _whose(people, rule), rule, ids, value, value), (rule, value[:40]))
        _can_still_be_shown(people, ids)


@pytest.mark.parametrize("value", HOSTILE[:5], ids=lambda value: repr(value[:12]))
def test_hostile_buttons(app: Flask, people: dict[str, Visitor], ids: dict[str, str], value: bytes) -> None:
    for action in ACTIONS:
        for rule in (
            "/apply/<key>/<section>",
            "/applications/<pid>/correction",
            "/staff/cases/<pid>/act/<name>",
        ):
            page = _post(app, _whose(people, rule), rule, ids, action, value)
            _is_fine(page, (rule, action, value[:40]))
    _can_still_be_shown(people, ids)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a\xff"\r\n\r\n\xff\r\n--x--',
        ),
        ("application/json", b"{"),
        ("application/x-www-form-urlencoded", b"&&==%%%zz&=&a"),
        ("\xff", b"\x00\x01"),
        ("application/x-www-form-urlencoded", b"a=1&" * 20_000),
    ],
)
def test_broken_bodies(
    app: Flask, people: dict[str, Visitor], ids: dict[str, str], kind: str, body: bytes
) -> None:
    for rule in _routes(app, "POST"):
        page = _whose(people, rule).send("POST", _path(rule, ids), body, {"Content-Type": kind})
        _is_fine(page, (rule, kind))


def _post(app: Flask, person: Visitor, rule: str, ids: dict[str, str], action: bytes, value: bytes) -> Page:
    """Every input that any page has, with the same value."""
    key = ids["key"]
    wanted = select(Draft.version).where(Draft.public_id == key)
    version = officers.made(app, lambda: db.session.scalars(wanted).one_or_none())
    body = urlencode({**dict.fromkeys(INPUTS, value), "action": action, "version": version or value})
    task = f"?task={ids['task']}" if "/act/" in rule else ""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    page = person.send("POST", _path(rule, ids) + task, body.encode(), form)
    assert b"<script>alert(1)" not in page.content, rule
    return page


def _can_still_be_shown(people: dict[str, Visitor], ids: dict[str, str]) -> None:
    citizen, officer = people["citizen"], people["officer"]
    for path in (
        f"/apply/{ids['key']}/pet",
        f"/apply/{ids['key']}/review",
        f"/applications/{ids['pid']}/correction",
    ):
        assert citizen.get(path).status == 200, citizen.page
        assert b"<script>alert(1)" not in citizen.page.content
    assert officer.get(f"/staff/cases/{ids['decide']}").status == 200
