"""審查會議 and 核定: agenda, decisions and approvals of many proposals at once, and the papers that say them."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal

from flask import current_app, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from rules.values import Text
from webapp import pending, sheets
from webapp.errors import Misfit, Refused
from webapp.models import ProposalSitting
from webapp.moments import taipei_day
from webapp.plans import bp, proposal_words
from webapp.plans.papers import XLSX
from webapp.presentation import in_language, language
from webapp.queries import proposals
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import plan_papers, proposal_papers, proposal_sittings
from webapp.services.plan_control import require
from webapp.services.proposal_sittings import Chosen, Done
from webapp.staff.typed import Mistakes, posted_day, read_day, summary
from webapp.uow import unit_of_work


@bp.route("/calls/<pid>/sittings/new", methods=["GET", "POST"])
def new_sitting(pid: str) -> ResponseReturnValue:
    require(actor())
    of, mistakes = proposals.call(pid), Mistakes()
    typed = {name: request.form.get(name, "").strip() for name in ("mode", "place", "chair")}
    if request.method == "POST":
        held_on = read_day("held_on", posted_day("held_on"), mistakes)
        if held_on is not None:
            try:
                with unit_of_work():
                    made = proposal_sittings.plan(
                        actor(), of, typed["mode"], held_on, typed["place"], typed["chair"], now()
                    ).public_id
            except Misfit as misfit:
                mistakes[misfit.field] = [in_language(misfit.text)]
            else:
                flash(_("場次已建立，請排入議程。"), "success")
                return redirect(url_for("plans.sitting", pid=made))
    page = render_template(
        "plans/sitting_form.html",
        call=of,
        typed=typed,
        day=posted_day("held_on"),
        modes=[(key, in_language(name)) for key, name in proposal_words.MODES.items()],
        mode=typed["mode"] or ("central" if of.subsidy else "county"),
        mistakes=mistakes,
        summary=summary(mistakes, ("held_on",)),
    )
    return page, 422 if mistakes else 200


@bp.get("/sittings/<pid>")
def sitting(pid: str) -> str:
    return _sitting_page(proposals.sitting(pid))


@bp.post("/sittings/<pid>")
def run_sitting(pid: str) -> ResponseReturnValue:
    """議程 and 決議: all ticked ones in one act; what could not be done is named, the rest is done."""
    require(actor())
    of, action = proposals.sitting(pid), request.form.get("action", "")
    name, words = request.form.get("decision", ""), request.form.get("words", "").strip()
    mistakes = Mistakes()
    chosen = _chosen(mistakes)

    def act() -> Done:
        if action == "assign":
            return proposal_sittings.assign(actor(), of, chosen, now())
        if action == "remove":
            return proposal_sittings.unassign(actor(), of, chosen, now())
        return proposal_sittings.decide(actor(), of, name, chosen, words.replace("\r\n", "\n"), now())

    done = None if mistakes else _batch(act, mistakes)
    if done is None or done.failed:
        status = 422 if mistakes else 409
        return _sitting_page(proposals.sitting(pid), mistakes, done), status
    flash(_("已完成 %(n)s 件。", n=len(done.done)), "success")
    return redirect(url_for("plans.sitting", pid=pid))


@pending.takes_in("plans.run_sitting")
def sitting_again(pid: str, typed: MultiDict[str, str]) -> ResponseReturnValue:
    """Sent after the sign-in had ended: shown again with what was ticked and typed, nothing is decided yet."""
    require(actor())
    flash(_("登入曾經逾時，這個動作還沒有送出。您填的內容都在下面，請確認後再送一次。"), "warning")
    return _sitting_page(proposals.sitting(pid), typed=typed), 400


def _sitting_page(
    of: ProposalSitting,
    mistakes: Mistakes | None = None,
    done: Done | None = None,
    typed: MultiDict[str, str] | None = None,
) -> str:
    call_ = proposals.call_of(of)
    page = max(request.args.get("page", 1, type=int), 1)
    count, waiting = proposals.agenda_count(of), proposals.waiting_count(of.call_id)
    wpage = max(request.args.get("waiting", 1, type=int), 1)
    return render_template(
        "plans/sitting.html",
        sitting=of,
        call=call_,
        totals=proposals.of_sitting(of),
        of_call=proposals.totals(call_),
        lines=proposals.agenda(of, page),
        count=count,
        page=page,
        pages=max(-(-count // proposals.PAGE), 1),
        waiting=proposals.waiting(of.call_id, wpage),
        waiting_count=waiting,
        waiting_page=wpage,
        waiting_pages=max(-(-waiting // proposals.PAGE), 1),
        at=lambda **more: url_for("plans.sitting", pid=of.public_id, **more),
        states=proposal_words.states(taipei_day(now())),
        decisions=[(key, in_language(name)) for key, name in proposal_words.DECISIONS[of.mode].items()],
        **_of_batch(mistakes, done, typed),
    )


@bp.route("/calls/<pid>/approval", methods=["GET", "POST"])
def approval(pid: str) -> ResponseReturnValue:
    """核定: what the meeting kept, approved in a batch; each becomes a plan of the register."""
    of, mistakes, done = proposals.call(pid), Mistakes(), None
    if request.method == "POST":
        proposal_sittings.require_approver(actor())
        chosen = _chosen(mistakes)
        if not mistakes:
            done = _batch(lambda: proposal_sittings.approve(actor(), of, chosen, now()), mistakes)
        if done is not None and not done.failed:
            flash(_("已核定 %(n)s 件，列入列管。", n=len(done.done)), "success")
            return redirect(url_for("plans.approval", pid=pid))
    page = max(request.args.get("page", 1, type=int), 1)
    count = proposals.count(of, proposals.Filters(state="approval"))
    shown = render_template(
        "plans/approval.html",
        call=of,
        register=proposals.register_of(of),
        totals=proposals.totals(of),
        lines=proposals.to_approve(of.id, page),
        count=count,
        page=page,
        pages=max(-(-count // proposals.PAGE), 1),
        may_approve=actor().may("approve_plans"),
        **_of_batch(mistakes, done),
    )
    return shown, 422 if mistakes else 409 if done is not None else 200


# --- batches --------------------------------------------------------------------------------------------------


def _chosen(mistakes: Mistakes) -> list[Chosen]:
    """The ticked rows, with the versions that the page showed and the amounts that were typed."""
    found = []
    for pid in dict.fromkeys(request.form.getlist("cases")):
        seen = request.form.get(f"version-{pid}", "")
        typed = request.form.get(f"amount-{pid}", "").strip()
        amount: Decimal | None = None
        if typed:
            amount = sheets.number(typed)
            if amount is None or amount != amount.to_integral_value() or not 0 < amount < 10**14:
                mistakes[f"amount-{pid}"] = [_("金額請填大於 0 的整數，例如 8,000,000。")]
        version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1
        found.append(Chosen(pid[:32], version, amount))
    return found


def _batch(act: Callable[[], Done], mistakes: Mistakes) -> Done | None:
    try:
        with unit_of_work():
            return act()
    except Refused as refusal:
        mistakes[getattr(refusal, "field", "")] = [in_language(refusal.text)]
        return None


def _of_batch(
    mistakes: Mistakes | None, done: Done | None, typed: MultiDict[str, str] | None = None
) -> dict[str, object]:
    tree, typed = chart(), request.form if typed is None else typed
    return {
        "mistakes": mistakes or {},
        "summary": summary(mistakes or {}),
        "done": done,
        "typed": typed,
        "ticked": frozenset(typed.getlist("cases")),
        "may_control": actor().may("control_plans"),
        "unit_name": lambda unit_id: tree.units[unit_id].name(language()),
        "proposal_words": proposal_words,
    }


# --- papers ---------------------------------------------------------------------------------------------------


@bp.get("/calls/<pid>/kept.xlsx")
def kept_xlsx(pid: str) -> ResponseReturnValue:
    return _xlsx(proposal_papers.Paper(proposals.call(pid)))


@bp.get("/calls/<pid>/kept.pdf")
def kept_pdf(pid: str) -> ResponseReturnValue:
    of = proposals.call(pid)
    return _pdf(proposal_papers.Paper(of), url_for("plans.call", pid=pid), proposal_words.PAPERS["kept"])


@bp.get("/sittings/<pid>/minutes.xlsx")
def minutes_xlsx(pid: str) -> ResponseReturnValue:
    of = proposals.sitting(pid)
    return _xlsx(proposal_papers.Paper(proposals.call_of(of), of))


@bp.get("/sittings/<pid>/minutes.pdf")
def sitting_minutes_pdf(pid: str) -> ResponseReturnValue:
    of = proposals.sitting(pid)
    paper = proposal_papers.Paper(proposals.call_of(of), of)
    return _pdf(paper, url_for("plans.sitting", pid=pid), proposal_words.PAPERS["minutes"])


def _xlsx(paper: proposal_papers.Paper) -> ResponseReturnValue:
    content = plan_papers.xlsx(proposal_papers.table(paper, current_app.config))
    name = f"{proposals.register_of(paper.call).key}-{paper.name}.xlsx"
    return send_file(io.BytesIO(content), mimetype=XLSX, download_name=name, as_attachment=True)


def _pdf(paper: proposal_papers.Paper, back: str, what: Text) -> ResponseReturnValue:
    """Whoever asks first has it printed; the page asks again by itself until it is there."""
    with unit_of_work():
        found = proposal_papers.pdf(paper, now(), current_app.config)
    if found is not None:
        name = f"{proposals.register_of(paper.call).key}-{paper.name}.pdf"
        return send_file(io.BytesIO(found), mimetype="application/pdf", download_name=name)
    page = render_template(
        "citizen/being_printed.html",
        what=in_language(what),
        of=paper.call.title,
        back=back,
        back_words=_("回到先期作業"),
        again=request.path,
    )
    answer = make_response(page, 202)
    answer.headers["Refresh"] = "5"
    return answer
