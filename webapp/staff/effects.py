"""What the worker gave up, and the button that has it tried again."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text
from webapp.errors import Forbidden
from webapp.queries import effects as orders
from webapp.security import actor, now
from webapp.services import effects as services
from webapp.staff import bp
from webapp.uow import unit_of_work

KINDS = {
    "receipt": Text(zh="送件收據", en="Receipt"),
    "application": Text(zh="申請書", en="Application form"),
    "blank_form": Text(zh="空白申請書", en="Blank form"),
    "draft_form": Text(zh="草稿", en="Draft on paper"),
    "letter": Text(zh="公文", en="Letter"),
    "payment_slip": Text(zh="繳費單", en="Payment slip"),
    "payment_receipt": Text(zh="規費收據", en="Receipt of payment"),
    "minutes": Text(zh="會議紀錄", en="Minutes"),
    "letter_batch": Text(zh="公文合併列印", en="Letters in one PDF"),
    "plan_paper": Text(zh="計畫管考報表", en="List of plans"),
    "proposal_paper": Text(zh="先期作業報表", en="Paper of a call for proposals"),
    "notice": Text(zh="通知", en="Message"),
}


@bp.get("/effects")
def effects() -> ResponseReturnValue:
    _require()
    return render_template("staff/effects.html", given_up=orders.given_up(), kinds=KINDS)


@bp.post("/effects/<int:effect_id>/resend")
def resend(effect_id: int) -> ResponseReturnValue:
    _require()
    with unit_of_work():
        services.resend(actor(), effect_id, now())
    flash(_("已重新送出，結果稍後看得到。"), "success")
    return redirect(url_for("staff.effects"))


def _require() -> None:
    if not actor().may("resend_effects"):
        raise Forbidden(
            Text(
                zh="只有系統管理者與研考單位可以查看未完成的輸出。",
                en="Only administrators and the research office see what was not carried out.",
            )
        )
