"""A visitor whose browser runs no script: reads pages, follows links, fills in and sends the forms found there.

A test with a visitor cannot send what no page offers; `smuggle` is the exception, for the tests of that.
"""

from __future__ import annotations

import io
import re
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from pypdf import PdfReader
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

Fill = Mapping[str, Sequence[str] | str]
#: name of the input -> files as (filename, content)
Files = Mapping[str, Sequence[tuple[str, bytes]]]
MOST_REDIRECTS = 5
TIMEOUT = 60


@dataclass(repr=False)
class Page:
    status: int
    path: str
    headers: Mapping[str, str]
    content: bytes

    @cached_property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.content, "lxml", from_encoding="utf-8")

    @property
    def text(self) -> str:
        """What is to be read in the main part and beside it."""
        parts = self.soup.select("main, aside") or [self.soup]
        return "\n".join(plain(part) for part in parts)

    @property
    def heading(self) -> str:
        return plain(self.soup.select_one("h1"))

    @property
    def mistakes(self) -> list[str]:
        """The lines of the error summary."""
        return [plain(line) for line in self.soup.select("[data-error-summary] li")]

    @property
    def pdf_text(self) -> str:
        """The text of a PDF without its line breaks, which Chinese does not need."""
        assert self.headers["Content-Type"] == "application/pdf", self
        return "".join(pdf_text(self.content).split())

    def links(self, text: str) -> list[str]:
        """Where the links with this text lead; those that only contain it, if none is it."""
        found = [(plain(a), str(a["href"])) for a in self.soup.select("a[href]")]
        exact = [href for words, href in found if words == text]
        return exact or [href for words, href in found if text in words]

    def value(self, name: str) -> str:
        """What stands in an input."""
        return self.form_with(name).values.getlist(name)[0]

    def form_with(self, name: str) -> Form:
        found = [form for form in self.soup.select("form") if form.find(attrs={"name": name})]
        assert found, f"no form with an input {name} on {self}"
        return Form(found[0])

    def offers(self, button: str) -> bool:
        return any(True for _ in self._buttons(button, self.soup))

    def button(self, text: str, within: str | None = None) -> tuple[Form, Tag]:
        """A button by its words, or by its value where the words are not alone."""
        scope = self.soup.select_one(within) if within else self.soup
        assert scope is not None, f"no {within} on {self}"
        found = list(self._buttons(text, scope))
        assert found, f"no button {text!r} on {self}: {[plain(b) for b in scope.select('button')]}"
        assert len(found) == 1, f"{len(found)} buttons {text!r} on {self}"
        return Form(found[0].find_parent("form")), found[0]

    def _buttons(self, text: str, scope: Tag) -> Iterator[Tag]:
        for button in scope.select("form button[type=submit]:not([aria-hidden])"):
            if text in (plain(button), button.get("value")):
                yield button

    def __repr__(self) -> str:
        """Long enough to see in a failed test what went wrong."""
        seen = f"{self.heading} {self.mistakes or ''}" if b"<h1" in self.content else self.content[:200]
        return f"<{self.status} {self.path} {seen}>"


class Form:
    """A form as it stands on a page."""

    def __init__(self, tag: Tag) -> None:
        self.tag = tag
        self.action = str(tag.get("action") or "")
        self.method = str(tag.get("method") or "get").lower()
        self.is_multipart = tag.get("enctype") == "multipart/form-data"

    @property
    def inputs(self) -> list[Tag]:
        return self.tag.select("input[name], select[name], textarea[name]")

    @property
    def names(self) -> set[str]:
        return {str(each["name"]) for each in self.inputs}

    @property
    def values(self) -> MultiDict[str, str]:
        """What would be sent if nobody typed anything."""
        return MultiDict((str(tag["name"]), value) for tag in self.inputs for value in _values(tag))

    def filled(self, fill: Fill) -> MultiDict[str, str]:
        sent = self.values
        for name, given in fill.items():
            values = [given] if isinstance(given, str) else list(given)
            self._check(name, values)
            sent.setlist(name, values)
        return sent

    def _check(self, name: str, values: list[str]) -> None:
        tags = [tag for tag in self.inputs if tag["name"] == name]
        assert tags, f"no input {name} among {sorted(self.names)}"
        assert all(tag.get("type") not in ("file", "hidden") for tag in tags), f"{name} cannot be typed into"
        options = {str(tag.get("value")) for tag in tags if tag.get("type") in ("radio", "checkbox")}
        options |= {str(option.get("value")) for tag in tags for option in tag.select("option")}
        assert not options or set(values) <= options, f"{name} offers {sorted(options)}, not {values}"


@dataclass(frozen=True)
class Hop:
    """One request of a click, with its answer."""

    method: str
    path: str
    status: int
    location: str | None


Send = Callable[[str, str, bytes | None, Mapping[str, str]], Page]


@dataclass
class Visitor:
    """`page` is what the visitor sees; `trail` are the requests that the last click took."""

    send: Send
    page: Page = field(default_factory=lambda: Page(0, "/", {}, b""))
    trail: list[Hop] = field(default_factory=list)

    def get(self, path: str, accept: str = "text/html") -> Page:
        """Types an address."""
        self.trail = []
        return self._go("GET", quote(path, safe="/?&=%:@+,;~"), None, {"Accept": accept})

    def follow(self, text: str) -> Page:
        """Clicks on a link."""
        found = self.page.links(text)
        assert found, f"no link {text!r} on {self.page}: {[plain(a) for a in self.page.soup.select('a')]}"
        assert len({href.partition("#")[0] for href in found}) == 1, (
            f"{text!r} leads to {found} on {self.page}"
        )
        return self.get(urljoin(self.page.path, found[0].partition("#")[0]))

    def press(
        self,
        button: str,
        fill: Fill | None = None,
        *,
        files: Files | None = None,
        within: str | None = None,
        smuggle: Fill | None = None,
    ) -> Page:
        """Fills in the form that has the button and presses it. `smuggle` adds what the form does not have."""
        form, pressed = self.page.button(button, within)
        sent = form.filled(fill or {})
        for name, values in (smuggle or {}).items():
            sent.setlist(name, [values] if isinstance(values, str) else list(values))
        if pressed.get("name"):
            sent.add(str(pressed["name"]), str(pressed.get("value", "")))
        return self._submit(form, sent, files or {})

    def post(self, path: str, data: Mapping[str, str] | None = None, accept: str = "text/html") -> Page:
        """A request that no page offered, for tests of what is refused."""
        self.trail = []
        body = urlencode(data or {}).encode()
        kind = "application/x-www-form-urlencoded"
        return self._go("POST", path, body, {"Content-Type": kind, "Accept": accept})

    def _submit(self, form: Form, sent: MultiDict[str, str], files: Files) -> Page:
        self.trail = []
        path = urljoin(self.page.path, form.action)
        pairs = [(name, as_typed(value)) for name, value in sent.items(multi=True)]
        if form.method == "get":
            return self._go("GET", f"{path.partition('?')[0]}?{urlencode(pairs)}", None, {})
        if not form.is_multipart:
            assert not files, f"{form.action} takes no files"
            kind = "application/x-www-form-urlencoded"
            return self._go(
                "POST", path, urlencode(pairs, errors="surrogatepass").encode(), {"Content-Type": kind}
            )
        body, boundary = _multipart(form, pairs, files)
        return self._go("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def _go(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        for _hop in range(MOST_REDIRECTS):
            page = self.send(method, path, body, {"Accept": "text/html", **headers})
            self.trail.append(Hop(method, path, page.status, page.headers.get("Location")))
            if page.status not in (301, 302, 303):
                self.page = page
                return page
            there = urlsplit(urljoin(path, page.headers["Location"]))
            path = f"{there.path}?{there.query}" if there.query else there.path
            method, body, headers = "GET", None, {}
        raise AssertionError(f"redirected in circles: {self.trail}")


def plain(tag: Tag | None) -> str:
    """Text as it is seen: nothing that only a screen reader gets, one blank between words."""
    if tag is None:
        return ""
    hidden = {id(text) for span in tag.select(".govuk-visually-hidden") for text in span.strings}
    return " ".join("".join(text for text in tag.strings if id(text) not in hidden).split())


def pdf_text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def as_typed(text: str) -> str:
    """Line ends as browsers send them."""
    return re.sub("\r\n|\r|\n", "\r\n", text)


def _values(tag: Tag) -> list[str]:
    if tag.has_attr("disabled"):
        return []
    if tag.name == "textarea":
        return ["".join(tag.strings).removeprefix("\n")]
    if tag.name == "select":
        options = tag.select("option")
        chosen = [option for option in options if option.has_attr("selected")] or options[:1]
        return [str(option.get("value", plain(option))) for option in chosen]
    kind = tag.get("type", "text")
    if kind in ("submit", "button", "image", "reset", "file"):
        return []
    if kind in ("radio", "checkbox"):
        return [str(tag.get("value", "on"))] if tag.has_attr("checked") else []
    return [str(tag.get("value", ""))]


def _multipart(form: Form, pairs: Sequence[tuple[str, str]], files: Files) -> tuple[bytes, str]:
    """Every file input is sent, as browsers do; without a choice as a nameless empty file."""
    offered = {str(tag["name"]) for tag in form.tag.select("input[type=file][name]")}
    assert set(files) <= offered, f"no such file inputs: {sorted(set(files) - offered)}"
    parts: MultiDict[str, object] = MultiDict(pairs)
    for name in sorted(offered):
        for filename, content in files.get(name, [("", b"")]):
            part = FileStorage(io.BytesIO(content), filename, name, "application/octet-stream")
            parts.add(name, part)
    boundary, body = encode_multipart(parts)
    return body, boundary


# --- how requests travel ------------------------------------------------------------------------------------


class _AsItIs(urllib.request.HTTPRedirectHandler):
    """Hands redirects out instead of following them."""

    def redirect_request(self, *_args: object) -> None:
        return None


def over_http(address: str) -> Visitor:
    """A visitor with a browser of their own, before a real web server."""
    opener = urllib.request.build_opener(
        _AsItIs, urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )

    def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        # only ever our own server
        request = urllib.request.Request(address + path, body, dict(headers), method=method)  # noqa: S310
        try:
            with opener.open(request, timeout=TIMEOUT) as answer:
                return Page(answer.status, path, answer.headers, answer.read())
        except HTTPError as answer:
            with answer:
                return Page(answer.code, path, answer.headers, answer.read())

    return Visitor(send)


def in_process(client: FlaskClient) -> Visitor:
    """A visitor of the application itself, where a server would add nothing."""

    def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        answer = client.open(path, method=method, data=body, headers=dict(headers), buffered=True)
        return Page(answer.status_code, path, answer.headers, answer.data)

    return Visitor(send)
