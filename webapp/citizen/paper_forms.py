"""The form on paper before anything is filed: blank for everybody, or the applicant's own draft."""

from __future__ import annotations

from flask import current_app, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.citizen import bp
from webapp.citizen.apply import journey_or_case
from webapp.citizen.cases import being_printed, inline
from webapp.citizen.journey import Journey
from webapp.presentation import in_language, language
from webapp.security import now
from webapp.services import documents, paper_forms
from webapp.uow import unit_of_work


@bp.get("/services/<code>/form.pdf")
def blank_form(code: str) -> ResponseReturnValue:
    """Whoever asks first has it printed, in the language of the page."""
    with unit_of_work():
        found = paper_forms.blank(code, language(), now(), current_app.config)
    if found is None:
        back = url_for("citizen.service", code=code)
        return being_printed(_("空白申請書"), code, back, _("回到申辦項目"))
    name, content = found
    return inline(content, name)


@bp.get("/apply/<key>/form.pdf")
def draft_form(key: str) -> ResponseReturnValue:
    """What is answered so far. One that was sent leads to its case."""
    journey = journey_or_case(key)
    if not isinstance(journey, Journey):
        return journey
    with unit_of_work():
        found = paper_forms.draft(journey.draft, now(), current_app.config)
        content = documents.content_of(found) if found is not None else b""
    if found is None:
        back = url_for("citizen.review", key=key)
        return being_printed(_("草稿"), in_language(journey.service.title), back, _("回到檢查頁"))
    return inline(content, found.filename)
