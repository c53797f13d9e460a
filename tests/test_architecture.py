"""The walls between the rooms, held by reading the imports, and a few habits that every file keeps."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

PURE = ("forms", "workflows", "rules")
#: what the pure packages share
GROUND = {"rules.values", "rules.conditions"}
OUTSIDE = {
    "flask",
    "flask_babel",
    "flask_login",
    "flask_sqlalchemy",
    "flask_wtf",
    "sqlalchemy",
    "webapp",
    "migrations",
}
ENGINE_MODULES = {"durable", "durable_rules_engine"}
VIEWS = ("admin", "api", "auth", "citizen", "plans", "staff")
#: who is at work in a request; services are told
REQUEST_STATE = {"flask.request", "flask.session", "flask.g", "flask_login.current_user"}
#: the rooms below the views, each with the rooms above it that it must not know
ABOVE = {
    "extensions": ("models", "queries", "services", "jobs", "letters", *VIEWS),
    "models": ("queries", "services", "jobs", "letters", *VIEWS),
    "queries": ("services", "jobs", "letters", *VIEWS),
    "services": VIEWS,
    "letters": VIEWS,
    "jobs": VIEWS,
}


@dataclass(frozen=True)
class Import:
    """One imported module or name, dotted, and where it stands."""

    name: str
    line: int

    def is_in(self, *packages: str) -> bool:
        return any(self.name == package or self.name.startswith(package + ".") for package in packages)


def imports(source: str, module: str, is_package: bool = False) -> list[Import]:
    """Every import of a module, lazy and typing-only ones included, and what is read from an imported module."""
    tree = ast.parse(source)
    package = module.split(".") if is_package else module.split(".")[:-1]
    bound: dict[str, str] = {}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            start = [*above, *([node.module] if node.module else [])]
            names = {alias.asname or alias.name: ".".join([*start, alias.name]) for alias in node.names}
        else:
            continue
        bound |= names
        found += [Import(name, node.lineno) for name in names.values()]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound:
            found.append(Import(f"{bound[node.value.id]}.{node.attr}", node.lineno))
    return found


def wall_breaks(source: str, module: str, is_package: bool = False) -> list[str]:
    """What a module imports against the architecture, one sentence each."""
    package, _, rest = module.partition(".")
    found = imports(source, module, is_package)
    breaks = [
        f"{module}:{each.line} {why}" for each in found for why in _reasons(each, package, rest, module)
    ]
    return sorted(set(breaks))


def _reasons(each: Import, package: str, rest: str, module: str) -> Iterator[str]:
    if each.is_in(*ENGINE_MODULES) and module != "rules.engine":
        yield f"only rules.engine imports {each.name}"
    if package in PURE:
        if each.is_in(*OUTSIDE):
            yield f"{package} is pure and must not import {each.name}"
        if each.is_in("wtforms") and package != "forms":
            yield f"{each.name} is at home in forms"
        siblings = [sibling for sibling in PURE if sibling != package]
        if each.is_in(*siblings) and not (package != "rules" and each.is_in(*GROUND)):
            yield f"{package} must not import {each.name} of a sibling"
    if package == "webapp":
        room = rest.partition(".")[0]
        if room in VIEWS and each.is_in("webapp.extensions.db", "sqlalchemy", "flask_sqlalchemy", "psycopg"):
            yield f"a view never touches the database: {each.name}"
        if room in {"services", "queries", "models"} and each.is_in(*REQUEST_STATE):
            yield f"{room} are told who acts and must not read {each.name}"
        above = [f"webapp.{other}" for other in ABOVE.get(room, ())]
        if each.is_in(*above):
            yield f"{room} must not import {each.name}, which stands above"


def modules() -> Iterator[tuple[str, Path]]:
    for package in (*PURE, "webapp"):
        for path in sorted((PROJECT / package).rglob("*.py")):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@pytest.mark.parametrize("package", [*PURE, "webapp"])
def test_walls(package: str) -> None:
    read = [(name, path) for name, path in modules() if name.split(".")[0] == package]
    assert read, f"{package} has no module"
    breaks = [
        line
        for name, path in read
        for line in wall_breaks(path.read_text(encoding="utf-8"), name, path.name == "__init__.py")
    ]
    assert breaks == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("forms.builder", "import flask"),
        ("forms.builder", "from webapp.models import Case"),
        ("forms.builder", "def lazy():\n    from sqlalchemy import select"),
        ("forms.builder", "from rules.engine import compile"),
        ("forms.builder", "from rules import engine"),
        ("forms.builder", "from workflows import model"),
        ("workflows.engine", "from forms.model import Field"),
        ("workflows.engine", "import wtforms"),
        ("workflows.engine", "from flask_login import current_user"),
        ("rules.loader", "from forms.model import Field"),
        ("rules.loader", "import durable_rules_engine"),
        ("rules.loader", "from durable.lang import ruleset"),
        ("webapp.services.evaluation", "import durable_rules_engine as engine"),
        ("webapp.services.cases", "from flask import current_app, request"),
        ("webapp.services.cases", "import flask\nwho = flask.session"),
        ("webapp.services.cases", "from flask_login import current_user"),
        ("webapp.services.cases", "from webapp.staff.views import inbox"),
        ("webapp.services.cases", "from ..staff import views"),
        ("webapp.queries.inbox", "from webapp.services import cases"),
        ("webapp.models.cases", "from webapp.queries import inbox"),
        ("webapp.models", "from .. import services"),
        ("webapp.extensions", "from webapp.models import Case"),
        ("webapp.jobs.sweeps", "from webapp.citizen import pages"),
        ("webapp.staff.views", "from webapp.extensions import db"),
        ("webapp.staff.views", "from webapp import extensions\nextensions.db.session.commit()"),
        ("webapp.citizen", "from sqlalchemy import select"),
        ("webapp.api.v1", "import sqlalchemy.orm"),
    ],
)
def test_a_break_in_a_wall_is_seen(module: str, source: str) -> None:
    assert wall_breaks(source, module, is_package=module in {"webapp.models", "webapp.citizen"})


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("forms.builder", "import wtforms\nfrom rules.values import Text\nfrom rules import conditions"),
        ("workflows.engine", "from rules.conditions import holds\nfrom workflows.model import State"),
        ("rules.engine", "import durable_rules_engine"),
        ("webapp.services.cases", "from webapp.extensions import db\nfrom webapp.queries import definitions"),
        ("webapp.services.cases", "import workflows.engine\nfrom webapp.models import Case\nrequest = 1"),
        ("webapp.staff.views", "from flask import request\nfrom webapp.services import cases"),
        ("webapp.queries.inbox", "from sqlalchemy import select\nfrom webapp.models import Task"),
    ],
)
def test_what_is_allowed_passes(module: str, source: str) -> None:
    assert wall_breaks(source, module) == []


# --- Habits of every file

#: written by others, kept as they came
VENDORED = ("static/css/govuk.css", "static/vendor/", "static/fonts/", "licences/")
#: pieces, so that this file does not find itself
UNFINISHED = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "lorem " + "ipsum"]) + r")\b"
)
STAND_IN = re.compile(
    "|".join(
        [
            r"\bplace" + r"holder (text|value|page|image|implementation)\b",
            r"\bcoming " + r"soon\b",
            "敬請" + "期待",
        ]
    ),
    re.IGNORECASE,
)
MACHINE = re.compile(r"(?<![\w.:/-])/(" + "|".join(["work", "root", "home", "tmp", "Users"]) + r")/[\w.]")
LONGEST_FILE = 600
LONGEST_LINE = 120


def is_module(path: Path) -> bool:
    """A migration is history: it is written once and not kept tidy."""
    return path.suffix == ".py" and path.parent.name != "versions"


HABITS: Mapping[str, Callable[[Path, str], bool]] = {
    "names a folder of one machine": lambda path, text: bool(MACHINE.search(text)),
    "holds unfinished work": lambda path, text: bool(UNFINISHED.search(text) or STAND_IN.search(text)),
    "is a module too long to read": lambda path, text: is_module(path) and text.count("\n") > LONGEST_FILE,
    "has a line too long to read": lambda path, text: (
        is_module(path) and max(map(len, text.splitlines()), default=0) > LONGEST_LINE
    ),
    "is a lock that names a host": lambda path, text: path.suffix == ".lock" and "://" in text,
}


def broken_habits(path: Path, text: str) -> list[str]:
    return [habit for habit, is_broken in HABITS.items() if is_broken(path, text)]


def project_files() -> Iterator[tuple[Path, str]]:
    """Every file that is or would be committed, as text."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = PROJECT / name
        if path.is_file() and not any(part in name for part in VENDORED):
            content = path.read_bytes()
            if b"\0" not in content:
                yield path, content.decode("utf-8")


def test_habits() -> None:
    files = list(project_files())
    assert PROJECT / "pyproject.toml" in dict(files)
    broken = [
        f"{path.relative_to(PROJECT)} {habit}" for path, text in files for habit in broken_habits(path, text)
    ]
    assert broken == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "DATA = '" + "/ho" + "me/somebody/data'"),
        ("a.md", "see " + "/wo" + "rk/notes.md"),
        ("a.py", "# TO" + "DO: later"),
        ("a.html", "<p>place" + "holder text</p>"),
        ("a.py", "pass\n" * (LONGEST_FILE + 1)),
        ("a.py", "a = '" + "很長" * LONGEST_LINE + "'"),
        ("a.lock", "--index-url https:" + "//example.org/simple"),
    ],
)
def test_a_broken_habit_is_seen(name: str, text: str) -> None:
    assert broken_habits(Path(name), text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<a href="/staff/cases/home">x</a> <input place' + 'holder="">'),
        ("a.py", "BROWSER = '/usr/bin/chromium'"),
        ("a.py", 'URL = "https://example.org/home/x"'),
    ],
)
def test_a_kept_habit_passes(name: str, text: str) -> None:
    assert broken_habits(Path(name), text) == []
