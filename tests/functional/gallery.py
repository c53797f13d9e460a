"""A small app that shows every macro of the design system: for the tests, and to look at while styling.

python -m flask --app tests.functional.gallery:create_gallery run
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from flask import Flask, Response, flash, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader

from forms import loader, visibility
from forms.builder import form_class, results_of
from rules.values import Text, read_yaml
from webapp import presentation

HERE = Path(__file__).parent
ROOM = HERE.parents[1] / "webapp"
FIXTURES = HERE.parent / "definitions" / "forms"
NOW = datetime(2026, 11, 22, 2, 32)  # noqa: DTZ001  # moments are stored without a zone and mean UTC
TODAY = date(2026, 11, 22)
LISTS = {
    "units": {"EC": Text(zh="建設處", en="Economic Development"), "PW": Text(zh="工務處", en="Public Works")}
}
DOCUMENTS = {"scan1": {"name": "手術證明（動物醫院）.pdf", "size": 123_456, "url": "/components"}}


def create_gallery(**config: object) -> Flask:
    app = Flask("gallery", root_path=str(ROOM))
    app.config.update(
        SECRET_KEY="gallery",
        SITE_NAME="金門縣政府線上申辦 E櫃檯",
        SITE_NAME_EN="Kinmen County e-Counter",
        AGENCY_NAME="金門縣政府",
        HELP_PHONE="1999",
        DEMO=True,
    )
    app.config.update(config)
    LoginManager(app).user_loader(lambda _id: None)
    CSRFProtect(app)
    presentation.init_app(app)
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(HERE / "templates"), FileSystemLoader(ROOM / "templates")]
    )
    app.add_url_rule("/", "citizen.catalogue", catalogue)
    app.add_url_rule("/components", "citizen.follow", components)
    app.add_url_rule("/inbox", "inbox", inbox)
    app.add_url_rule("/form/<key>/<section>", "form", form_page, methods=["GET", "POST"])
    app.add_url_rule("/form/<key>/visibility.css", "visibility", stylesheet)
    app.add_url_rule("/draft", "draft", draft, methods=["POST"])
    app.add_url_rule("/upload/<field>", "upload", upload, methods=["POST"])
    app.add_url_rule("/poll", "poll", poll)
    app.extensions["gallery"] = {"drafts": [], "submits": [], "polls": 0, "behaviour": "ok"}

    @app.after_request
    def forbid_inline(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        return response

    return app


def state() -> dict:  # type: ignore[type-arg]  # what the tests read and set
    from flask import current_app

    return current_app.extensions["gallery"]


# --- pages -----------------------------------------------------------------------------------------------


def catalogue() -> ResponseReturnValue:
    facts = ("10 個工作天", "NT$ 1,000", "線上申辦")
    services = (
        "農業用地作農業使用證明書",
        "犬貓絕育及寵物登記補助",
        "道路挖掘許可申請",
        "攤販營業許可",
        "食品業者登錄",
    )
    return render_template("catalogue.html", services=services, facts=facts)


def components() -> ResponseReturnValue:
    flash("草稿已刪除。", "success")
    flash("系統將於今晚 10 點維護。", "message")
    steps = (
        SimpleNamespace(title="已收到您的申請", state="done", at=NOW, text="案號 EC09-115-000123"),
        SimpleNamespace(title="承辦人審查中", state="current", at=NOW + timedelta(days=1), text=""),
        SimpleNamespace(title="核定", state="next", at="預計 115.12.10 前", text="核定後寄發公文。"),
    )
    return render_template("components.html", steps=steps, documents=list(DOCUMENTS.values()), now=NOW)


def inbox() -> ResponseReturnValue:
    cases = (
        ("EC09-115-000412", "犬貓絕育及寵物登記補助", "陳美玲", "初審", "blue", -3, "補正後送回"),
        (
            "PW01-115-000398",
            "道路挖掘許可申請",
            "永昌營造有限公司",
            "會辦 工務處",
            "purple",
            0,
            "等候會辦意見",
        ),
        ("EC09-115-000433", "犬貓絕育及寵物登記補助", "林志豪", "初審", "blue", 2, ""),
        ("EC06-115-000437", "農業用地作農業使用證明書", "Sarah Thompson", "複審", "grey", 6, "英文申請"),
        ("EC06-115-000450", "農業用地作農業使用證明書", "好日子餐飲企業社", "決行", "grey", 11, ""),
    )
    return render_template("inbox.html", cases=cases)


# --- forms -----------------------------------------------------------------------------------------------


@cache
def definition_of(key: str):  # type: ignore[no-untyped-def]
    """A definition of the fixtures, or one of the factory."""
    fixture = FIXTURES / f"{key}.yaml"
    mapping = read_yaml(fixture) if fixture.exists() else loader.read_all()[key]
    return loader.load(mapping, facts={"case.channel": "text"})


def form_page(key: str, section: str) -> ResponseReturnValue:
    definition = definition_of(key)
    shown = definition.section(section)
    keys = tuple(field.key for field in shown.fields)
    cls = form_class(definition, keys, lang=presentation.language())
    given = request.form if request.method == "POST" else request.args
    form = cls(without_row(given.to_dict(flat=False)), today=TODAY, lists=LISTS)
    action, _, target = request.form.get("action", "").partition(":")
    if action == "add-row":
        form[target].add_row()
    elif action == "next":
        state()["submits"].append(request.form.to_dict(flat=False))
        if form.validate():
            return redirect("/components")
    return render_template(
        "form.html", definition=definition, section=shown, form=form, documents=DOCUMENTS, now=NOW
    )


def without_row(given: dict[str, list[str]]) -> dict[str, list[str]]:
    """What `remove-row:<key>:<n>` leaves."""
    action = given.pop("action", [""])[0]
    if not action.startswith("remove-row:"):
        return given
    _, key, number = action.split(":")
    return {name: texts for name, texts in given.items() if not name.startswith(f"{key}-{number}-")}


def stylesheet(key: str) -> ResponseReturnValue:
    return Response(visibility.css(definition_of(key)), mimetype="text/css")


def draft() -> ResponseReturnValue:
    behaviour = state()["behaviour"]
    if behaviour != "ok":
        return {"error": behaviour}, {"conflict": 409, "fail": 503, "signed out": 401}[behaviour]
    given = request.form.to_dict(flat=False)
    state()["drafts"].append(given)
    form = form_class(definition_of("every_type"))(given, today=TODAY, lists=LISTS)
    return {"version": len(state()["drafts"]), "saved_at": "10:32", "results": results_of(form)}


def upload(field: str) -> ResponseReturnValue:
    if state()["behaviour"] == "fail":
        return jsonify(error=""), 503
    file = request.files["file"]
    content = file.read()
    if b"virus" in content:
        return jsonify(error="這個檔案不安全，不能收件。"), 422
    return jsonify(id=f"{field}{len(content)}", name=file.filename, size=len(content))


def poll() -> ResponseReturnValue:
    state()["polls"] += 1
    response = make_response(f"<p>第 {state()['behaviour']} 版</p>")
    response.set_etag(state()["behaviour"])
    return response.make_conditional(request)
