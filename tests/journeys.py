"""Steps of a case's journey through the real services, for tests that start in the middle of one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from webapp import crypto, demo
from webapp.demo.samples import SAMPLES, picture
from webapp.extensions import db
from webapp.models import Account, Case, Draft, Task
from webapp.permissions import Actor, staff_actor
from webapp.queries import definitions
from webapp.services import applications, cases, documents, drafts, steps
from webapp.services.steps import Given
from webapp.uow import unit_of_work

#: Thursday; the next Monday is a holiday, and so is 10 October
NOW = datetime(2025, 9, 25, 2, 0, tzinfo=UTC)
#: somebody who files for the applicant, as the forms ask
AGENT = {
    "filed_by": ["agent"],
    "agent_name": ["林美玉"],
    "agent_relation": ["entrusted"],
    "agent_phone": ["0987-654-321"],
    "agent_email": ["lin.meiyu@ecounter.example"],
    "agent_address-township": ["JC"],
    "agent_address-village": ["東門里"],
    "agent_address-detail": ["民生路62號"],
}


def account(login: str) -> Account:
    digest = crypto.keyed_hash(demo.login(login), "email")
    return db.session.scalars(select(Account).where(Account.email_hash == digest)).one()


def citizen(login: str = "chen.meiling") -> Actor:
    person = account(login)
    return Actor("citizen", person.id, person.name)


def officer(login: str, now: datetime = NOW) -> Actor:
    person = account(login)
    return staff_actor(person.id, person.name, now)


def login_of(account_id: int) -> str:
    """The demonstration login of an account."""
    return (db.session.get_one(Account, account_id).email or "").removesuffix(f"@{demo.DOMAIN}")


def draft(
    code: str,
    actor: Actor,
    now: datetime = NOW,
    *,
    intake: dict[str, Any] | None = None,
    **changes: list[str],
) -> Draft:
    """A complete draft with every required file. `intake` as a clerk enters it at the counter."""
    made = drafts.start(actor, code, now, intake=intake)
    form = definitions.form(made.form_revision_id)
    raw = {**SAMPLES[code], **changes}
    if "bank-holder" in raw and "bank-holder" not in changes and "applicant_name" in changes:
        raw["bank-holder"] = changes["applicant_name"]  # the account has to be the applicant's own
    if "bank-holder" in raw and "bank-holder" not in changes:
        raw["bank-holder"] = raw["applicant_name"]  # whoever applies has an account of their own
    drafts.save(made, form, [field.key for field in form.fields], raw, made.version, now)
    asked = applications.check(made, now, "zh").errors
    for field in (field for field in form.file_fields if field.key in asked):
        document = documents.upload(actor, made.public_id, field, f"{field.key}.png", picture(), now)
        drafts.add_file(made, document)
    return made


def submitted(code: str, now: datetime = NOW, actor: Actor | None = None, **changes: Any) -> Case:
    """A case fresh from the review page."""
    sender = actor or citizen()
    with unit_of_work():
        key = draft(code, sender, now, **changes).public_id
    with unit_of_work():
        return applications.submit(sender, key, now)


#: what a proposal to grant fixes unless the test says otherwise
AMOUNTS = {"subsidy": Decimal(2000), "permit": Decimal(1200), "repair": Decimal(30_000)}


def open_tasks(case: Case) -> list[Task]:
    return list(
        db.session.scalars(
            select(Task).where(Task.case_id == case.id, Task.state == "open").order_by(Task.id)
        )
    )


def take(case: Case, name: str, login: str | None = None, now: datetime = NOW, **given: Any) -> None:
    """The transition by the task's own officer, or by the one named; with amounts where it must fix some."""
    with unit_of_work():
        task = open_tasks(case)[0] if login is None else _task_of(case, login, now)
        actor = officer(login or login_of(task.assignee_id or 0), now)
        said = Given(**{"amounts": AMOUNTS, **given})
        cases.take_transition(actor, case, name, now, version=case.version, task_id=task.id, given=said)


def _task_of(case: Case, login: str, now: datetime) -> Task:
    ctx = steps.context(case)
    offered = [offer.task for offer in cases.offers(officer(login, now), ctx, now)]
    return next(task for task in offered if task is not None)
