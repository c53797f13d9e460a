"""通知: what the system told an officer, and what they have read of it."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.queries import notices as queries
from webapp.security import actor, now
from webapp.services import notice_reads
from webapp.staff import bp
from webapp.uow import unit_of_work


@bp.app_template_global()
def unread_notices() -> str:
    """Shown beside the link on every page of the officers."""
    count = queries.unread(actor())
    return f"{queries.MOST_COUNTED - 1}+" if count >= queries.MOST_COUNTED else str(count)


@bp.get("/notices")
def notices() -> ResponseReturnValue:
    after = request.args.get("after", "")
    page = queries.page(actor(), after)
    return render_template("staff/notices.html", page=page, after=after)


@bp.post("/notices/<pid>/read")
def read_notice(pid: str) -> ResponseReturnValue:
    with unit_of_work():
        notice_reads.mark(actor(), pid, now())
    return redirect(_back())


@bp.post("/notices/<pid>/read-all")
def read_notices(pid: str) -> ResponseReturnValue:
    with unit_of_work():
        notice_reads.mark(actor(), pid, now(), and_older=True)
    return redirect(url_for("staff.notices"))


def _back() -> str:
    """The page of the list on which the button stood."""
    return url_for("staff.notices", after=request.form.get("after") or None)
