"""The lists of a register to take away: PDF, printed by the worker, and XLSX."""

from __future__ import annotations

import io

from flask import current_app, make_response, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.plans import bp
from webapp.plans.register import parsed
from webapp.plans.words import PAPERS
from webapp.presentation import in_language, language
from webapp.queries import plans
from webapp.security import now
from webapp.services import plan_papers
from webapp.uow import unit_of_work

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/registers/<key>/<period>/<any(annex,severe,large,review):name>.xlsx")
def paper_xlsx(key: str, period: str, name: str) -> ResponseReturnValue:
    of, wanted = plans.register(key), parsed(period)
    content = plan_papers.xlsx(plan_papers.content(of, wanted, name, current_app.config))
    return send_file(
        io.BytesIO(content),
        mimetype=XLSX,
        download_name=f"{of.key}-{wanted.key}-{name}.xlsx",
        as_attachment=True,
    )


@bp.get("/registers/<key>/<period>/<any(annex,severe,large,review):name>.pdf")
def paper_pdf(key: str, period: str, name: str) -> ResponseReturnValue:
    """Whoever asks first has it printed; the page asks again by itself until it is there."""
    of, wanted = plans.register(key), parsed(period)
    with unit_of_work():
        found = plan_papers.pdf(of, wanted, name, now(), current_app.config)
    if found is not None:
        return send_file(
            io.BytesIO(found), mimetype="application/pdf", download_name=f"{of.key}-{wanted.key}-{name}.pdf"
        )
    page = render_template(
        "citizen/being_printed.html",
        what=in_language(PAPERS[name]),
        of=of.name_en if language() == "en" else of.name_zh,
        back=url_for("plans.register", key=key, period=wanted.key),
        back_words=_("回到列管別"),
        again=request.path,
    )
    answer = make_response(page, 202)
    answer.headers["Refresh"] = "5"
    return answer
