"""Periodic work: deadlines, lapsed corrections, drafts that expire, and whatever a killed worker left behind."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from procrastinate.exceptions import ConnectorException
from sqlalchemy import delete, select, text

from webapp.extensions import db
from webapp.jobs import mail
from webapp.jobs.app import STALLED_SECONDS, app, perform
from webapp.models import Document, Draft, Effect
from webapp.moments import taipei_day, utc_now
from webapp.services import (
    accounts,
    bookings,
    deadlines,
    digests,
    drafts,
    effects,
    extensions,
    handovers,
    limits,
    overdue_lists,
    payments,
    payouts,
    plan_months,
    plan_progress,
    sample_audits,
    surveys,
    sweep_runs,
    tasks,
)
from webapp.uow import unit_of_work

log = logging.getLogger(__name__)

#: an effect that is still pending after this long may have lost its job
LOST_AFTER = timedelta(minutes=2)
BATCH = 200
#: of one transaction of the deadline sweep
CLOCKS_TOGETHER = 500
#: an upload to a correction or a task that was never sent
FORGOTTEN_AFTER = timedelta(days=90)
#: what belongs to a draft; a batch of letters belongs to no case either, and is kept
OF_DRAFTS = ("upload", "draft_form")


@app.periodic(cron="*/5 * * * *")
@app.task(name="sweep_deadlines", queue="sweeps", pass_context=False)
def sweep_deadlines(timestamp: int) -> None:
    run_deadlines(utc_now())


@app.periodic(cron="*/15 * * * *")
@app.task(name="sweep_payments", queue="sweeps")
def sweep_payments(timestamp: int) -> None:
    run_payments(utc_now())


@app.periodic(cron="* * * * *")
@app.task(name="sweep_effects", queue="sweeps")
def sweep_effects(timestamp: int) -> None:
    redefer_effects(utc_now())


@app.periodic(cron="* * * * *")
@app.task(name="send_mail", queue="sweeps", queueing_lock="send_mail")
def send_mail(timestamp: int) -> None:
    mail.send_pending(utc_now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="sweep_bookings", queue="sweeps")
def sweep_bookings(timestamp: int) -> None:
    remind_of_bookings(utc_now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="sweep_plans", queue="sweeps", queueing_lock="sweep_plans")
def sweep_plans(timestamp: int) -> None:
    run_plans(utc_now())


@app.periodic(cron="17 3 * * *")
@app.task(name="sweep_drafts", queue="sweeps")
def sweep_drafts(timestamp: int) -> None:
    drop_expired_drafts(utc_now())
    remind_of_drafts(utc_now())
    with unit_of_work():
        accounts.drop_expired(utc_now())
        payouts.recheck(utc_now())


@app.periodic(cron="* * * * * */10")
@app.task(name="retry_stalled", queue="sweeps", priority=1, pass_context=True)
async def retry_stalled(context: Any, timestamp: int) -> None:
    """A job whose worker was killed starts again, before anything else that waits; every task is idempotent."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        with suppress(ConnectorException):  # its worker was only slow, and has finished it meanwhile
            await manager.retry_job(job, priority=1)


def run_deadlines(now: datetime) -> dict[str, int]:
    """Batches of clocks, each a transaction; one that fails is walked clock by clock, so that it holds up no other."""
    counts = {"clocks": 0, "rungs": 0, "lapsed": 0, "digests": 0, "failed": 0}
    today, began = taipei_day(now), time.perf_counter()
    with unit_of_work():
        tasks.return_to_pools(now)
    with unit_of_work():
        waiting, lapsed = deadlines.clocks_to_sweep(today), list(deadlines.lapsed_corrections(today))
        run_id = sweep_runs.begin(now) if waiting or lapsed else None
    for start in range(0, len(waiting), CLOCKS_TOGETHER):
        _sweep(waiting[start : start + CLOCKS_TOGETHER], run_id, now, counts)
    counts["lapsed"] += _each(lapsed, deadlines.lapse_correction, now, counts)
    _each(extensions.to_lapse(today), extensions.lapse, now, counts)
    _each(sample_audits.to_draw(), sample_audits.draw, now, counts)
    _each(surveys.to_ask(now), surveys.ask, now, counts)
    for account_id in digests.to_tell(now):
        with _counted(counts, "digest", account_id), unit_of_work():
            counts["digests"] += digests.tell(account_id, now)
    # after the digests: the applicant reads whether somebody is being pressed
    _each(limits.passed(now), limits.limit_passed, now, counts)
    if overdue_lists.is_due(now):
        with _counted(counts, "overdue list of", now.strftime("%Y-%m")), unit_of_work():
            overdue_lists.make(now)
    with unit_of_work():
        sweep_runs.end(run_id, now, round((time.perf_counter() - began) * 1000), counts)
    return counts


def _sweep(clock_ids: list[int], run_id: int | None, now: datetime, counts: dict[str, int]) -> None:
    try:
        with unit_of_work():
            looked_at, rungs = deadlines.sweep(clock_ids, now, run_id)
        counts["clocks"] += looked_at
        counts["rungs"] += rungs
    except Exception:
        if len(clock_ids) > 1:
            for clock_id in clock_ids:
                _sweep([clock_id], run_id, now, counts)
            return
        counts["failed"] += 1
        log.exception("sweep of clock %s failed", clock_ids[0])


@contextmanager
def _counted(counts: dict[str, int], what: str, which: int | str) -> Iterator[None]:
    """Each is a transaction of its own: one that fails is logged and holds up no other."""
    try:
        yield
    except Exception:
        counts["failed"] += 1
        log.exception("%s %s failed in the deadline sweep", what, which)


def run_plans(now: datetime) -> dict[str, int]:
    """Asks for the reports of the month that ended, closes what is released, locks what is late, decides anew."""
    counts = {"failed": 0}
    counts["asked"] = _each(plan_months.to_open(now), plan_months.open_report, now, counts)
    counts["released"] = _each(plan_months.to_release(now), plan_months.release, now, counts)
    counts["locked"] = _each(plan_months.to_lock(now), plan_months.lock, now, counts)
    with unit_of_work():
        counts["decided"] = plan_progress.refresh(now)
    return counts


def remind_of_bookings(now: datetime) -> int:
    with unit_of_work():
        return bookings.remind(now)


def run_payments(now: datetime) -> dict[str, int]:
    """Reminds of invoices and lets them lapse. Each is a transaction of its own."""
    today = taipei_day(now)
    counts = {"reminded": 0, "lapsed": 0, "failed": 0}
    for name, found, act in (
        ("lapsed", payments.to_lapse(today), payments.lapse),
        ("reminded", payments.to_remind(today), payments.remind),
    ):
        for invoice_id in list(found):
            try:
                with unit_of_work():
                    counts[name] += act(invoice_id, now)
            except Exception:
                counts["failed"] += 1
                log.exception("invoice %s could not be %s", invoice_id, name)
    return counts


def _each(
    ids: Iterable[int], act: Callable[[int, datetime], None], now: datetime, counts: dict[str, int]
) -> int:
    """How many were done; a failure is counted and logged."""
    done = 0
    for one in list(ids):
        try:
            with unit_of_work():
                act(one, now)
                done += 1
        except Exception:
            counts["failed"] += 1
            log.exception("%s of %s failed", act.__name__, one)
    return done


def redefer_effects(now: datetime) -> int:
    """New jobs for effects whose own is gone. One that waits, or waits for its next try, is left alone."""
    has_no_job = text(
        "not exists (select from procrastinate_jobs job where job.task_name = :task "
        "and job.status in ('todo', 'doing') and (job.args ->> 'effect_id')::bigint = effect.id)"
    ).bindparams(task=perform.name)
    with unit_of_work():
        lost = db.session.scalars(
            select(Effect.id)
            .where(
                Effect.state == db.literal("pending", literal_execute=True),
                Effect.created_at < now - LOST_AFTER,
                has_no_job,
            )
            .order_by(Effect.created_at)
            .limit(BATCH)
        ).all()
        if lost:
            effects.hand_over(list(lost))
        return len(lost)


def drop_expired_drafts(now: datetime) -> int:
    """Expired drafts with their uploads, and uploads that nothing sent in a long time belongs to any more."""
    with unit_of_work():
        expired = db.session.scalars(
            delete(Draft).where(Draft.expires_on < taipei_day(now)).returning(Draft.public_id)
        ).all()
        db.session.execute(
            delete(Document).where(Document.draft_key.in_(expired), Document.case_id.is_(None))
        )
        db.session.execute(
            delete(Document).where(
                Document.case_id.is_(None),
                Document.kind.in_(OF_DRAFTS),
                Document.created_at < now - FORGOTTEN_AFTER,
                Document.draft_key.not_in(select(Draft.public_id)),
            )
        )
        handovers.drop_forgotten(now)
        return len(expired)


def remind_of_drafts(now: datetime) -> dict[str, int]:
    """Each is a transaction of its own: one that fails is logged and holds up no other."""
    counts = {"failed": 0}
    counts["looked_at"] = _each(drafts.to_remind(taipei_day(now)), drafts.remind, now, counts)
    return counts
