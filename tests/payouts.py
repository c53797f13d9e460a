"""Granted pet subsidies that wait for a payment list, for tests of lists."""

from __future__ import annotations

import json
from datetime import datetime

from tests.journeys import NOW, officer, submitted, take
from webapp.models import Case, PayoutClaim, PayoutList
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM, Actor
from webapp.queries import payouts as queries
from webapp.services import payouts, publishing
from webapp.uow import unit_of_work

OFFICER, OTHER, HEAD, UPPER, CASHIER = "lin.yahan", "xu.mingde", "chen.shufen", "li.zhengnan", "su.jiaqi"
CODE = "EC09"


def open_service(**award: object) -> None:
    """From now on EC09 grants its subsidy on these terms."""
    service = json.loads(json.dumps(publishing.READERS["service"]()[CODE], ensure_ascii=False, default=str))
    service["awards"][0] |= award
    with unit_of_work():
        revision = publishing.insert(SYSTEM, "service", CODE, service, NOW, origin="editor")
        publishing.publish(SYSTEM, revision, publishing.BEGINNING, NOW)


def granted(now: datetime = NOW, **changes: list[str]) -> Case:
    case = submitted(CODE, now, **changes)
    take(case, "propose_approval", now=now)
    take(case, "approve", now=now)
    return case


def waiting(actor: Actor, now: datetime = NOW) -> list[PayoutClaim]:
    return [due.claim for due in queries.due(queries.own(actor, "gather_payouts"), taipei_day(now), CODE)]


def gathered(now: datetime = NOW, login: str = OFFICER, period: str = "114年9月") -> PayoutList:
    """Everything that is ready, on one list."""
    actor = officer(login, now)
    ready = {claim.public_id for claim in waiting(actor, now) if claim.account and not claim.needs_confirming}
    with unit_of_work():
        return payouts.gather(actor, CODE, period, ready, now)


def approved(now: datetime = NOW, **given: str) -> PayoutList:
    made = gathered(now, **given)
    with unit_of_work():
        payouts.propose(officer(OFFICER, now), made, now, version=made.version)
    with unit_of_work():
        payouts.approve(officer(HEAD, now), made, now, version=made.version, says_same=True)
    return made


def paid(now: datetime = NOW, **given: str) -> PayoutList:
    made = approved(now, **given)
    with unit_of_work():
        payouts.pay(officer(CASHIER, now), made, taipei_day(now), now, version=made.version)
    return made
