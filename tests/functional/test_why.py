"""為什麼: every decision of the rules about a case, as it was stored, and the rung that comes next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from tests.journeys import NOW, citizen, officer, submitted, take
from tests.officers import at, case_of, made, officer_of, signed_in
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import Case, Clock, Revision
from webapp.permissions import SYSTEM
from webapp.queries import definitions, ladders, standing
from webapp.services import cases, extensions, publishing
from webapp.uow import unit_of_work

#: EC09 filed on NOW is due on 2025-10-20, a Monday; the working days before are the 17th and the 16th
WARN_DAY = datetime(2025, 10, 16, 1, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("committed")


def why(app: Flask, case: str, login: str = "lin.yahan", lang: str = "zh") -> str:
    visitor = signed_in(app, login)
    if lang == "en":
        visitor.get("/language/en?next=/staff/")
    return " ".join(visitor.get(f"/staff/cases/{case}/why").text.split())


def changed(value: int) -> dict[str, Any]:
    """The ladder with another first warning."""
    current = definitions.revision_id("ruleset", ladders.RULESET, NOW.date())
    body = db.session.get_one(Revision, current).mapping
    parameters = body["parameters"]
    return {**body, "parameters": {**parameters, "warn_days": {**parameters["warn_days"], "value": value}}}


def published(value: int, since: date) -> None:
    with unit_of_work():
        revision = publishing.insert(SYSTEM, "ruleset", ladders.RULESET, changed(value), NOW, origin="editor")
        publishing.publish(SYSTEM, revision, since, NOW)


def coming(**how: Any) -> list[tuple[str, date]]:
    [clock] = standing.read(Clock.task_id.is_(None))
    found = ladders.next_rungs([clock], NOW.date(), **how)[clock.clock_id]
    return [(each.params["rung"], each.day) for each in found]


def withdrawn(case: Case) -> None:
    with unit_of_work():
        cases.take_as_citizen(citizen(), case, "withdraw", NOW, version=case.version)


def test_what_was_decided_and_what_comes_next(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    case = made(app, lambda: submitted("EC09").public_id)
    at(app, monkeypatch, NOW)
    page = why(app, case)
    assert "收件分派 民國114年9月25日" in page
    assert "選派承辦人：派給待辦最少者" in page
    assert "申辦項目為「EC09」（須為「EC06」），不成立" in page
    assert "下一次稽催是： 民國114年10月16日 到期前預警，通知承辦人" in page
    assert "因為那天距到期日剩 2 個工作天 ≤ 預警天數 2 個工作天" in page
    assert "民國114年11月11日 逾期調卷分析" in page
    english = why(app, case, lang="en")
    assert "2 working days left ≤ Warning days 2 working days" in english


def test_an_old_decision_is_explained_by_the_revision_that_made_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        sweeps.run_deadlines(WARN_DAY)
        published(5, WARN_DAY.date())
        return case.public_id

    case = made(app, prepare)
    at(app, monkeypatch, WARN_DAY)
    page = why(app, case)
    assert "距到期日剩 2 個工作天 ≤ 預警天數 2 個工作天" in page
    assert "參數「預警天數」：2 個工作天 建議值，待機關核定 來源：稽催階段建議值 T-2" in page
    assert "第 1 版" in page and "預警天數 5" not in page and "預警天數」：5" not in page
    # what did not hold says by how much
    assert "距到期日剩 2 個工作天（須 ≤ 到期門檻 0 個工作天），不成立" in page
    assert "依「案件期限與稽催」第 2 版" in page


def test_the_level_of_an_extension_is_explained(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        clerk = officer(officer_of(case))
        with unit_of_work():
            extensions.ask(clerk, case, 8, "等候補件。", NOW, version=case.version)
        return case.public_id

    case = made(app, prepare)
    at(app, monkeypatch, NOW)
    page = why(app, case)
    assert "累計展期 8 個工作天 ≤ 處長／局長核定上限 14 個工作天" in page
    assert "累計展期 8 個工作天（須 ≤ 科長核定上限 7 個工作天），不成立" in page


def test_a_paused_or_closed_case_waits_for_no_rung(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        take(case, "request_correction", fields=("pet_name",), comment="名字與登記證明不同")
        return case.public_id

    case = made(app, prepare)
    at(app, monkeypatch, NOW)
    assert "期限停止計算，恢復計算前不會稽催。" in why(app, case)
    made(app, lambda: withdrawn(case_of(case)))
    assert "案件已經結案" in why(app, case)


def test_the_applicant_reads_plain_words_and_nothing_internal(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        sweeps.run_deadlines(WARN_DAY)
        return case.public_id

    def read() -> str:
        return " ".join(signed_in(app, "chen.meiling").get(f"/applications/{case}").text.split())

    case = made(app, prepare)
    at(app, monkeypatch, WARN_DAY)
    page = read()
    assert "民國114年9月25日：由這個申辦項目的承辦單位辦理。" in page
    assert not any(word in page for word in ("預警", "待辦最少", "風險"))
    late = datetime(2025, 10, 21, 1, tzinfo=UTC)
    made(app, lambda: sweeps.run_deadlines(late))
    at(app, monkeypatch, late)
    assert "民國114年10月21日：已經超過處理期限，系統已催請承辦單位與主管儘速辦理。" in read()


def test_nobody_else_reads_why(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    case = made(app, lambda: submitted("EC09").public_id)
    at(app, monkeypatch, NOW)
    assert signed_in(app, "ou.yijun").get(f"/staff/cases/{case}/why").status == 404


def test_the_rungs_to_come(app: Flask) -> None:
    def prepare() -> None:
        submitted("EC09")
        warn, due = date(2025, 10, 16), date(2025, 10, 20)
        rungs = coming()
        assert rungs[:3] == [("warn", warn), ("due", due), ("overdue_first", date(2025, 10, 21))]
        assert [rung for rung, _ in rungs[3:]] == ["overdue_second", "overdue_third", "review"]
        # a draft, from at once or from a day on
        draft = definitions.parse("ruleset", changed(3))
        assert coming(ruleset=draft, most=1) == [("warn", date(2025, 10, 15))]
        assert coming(ruleset=draft, since=warn) == rungs
        # a revision that takes effect before then
        published(4, date(2025, 10, 15))
        assert coming(most=1) == [("warn", date(2025, 10, 15))]

    made(app, prepare)


def test_what_the_sweep_reaches_is_what_was_foreseen(app: Flask) -> None:
    def prepare() -> None:
        case = submitted("PW01")
        take(case, "split")
        clocks = standing.of_case(case.id)
        foreseen = ladders.next_rungs(clocks, NOW.date())
        assert len(foreseen) == len(clocks) == 3
        day, found = NOW, list[tuple[int, str, date]]()
        known = {clock.clock_id: clock.known for clock in clocks}
        while day < NOW + timedelta(days=70):
            sweeps.run_deadlines(day)
            for clock in standing.of_case(case.id):
                new = clock.known - known[clock.clock_id]
                found += [(clock.clock_id, rung, day.date()) for rung in sorted(new)]
                known[clock.clock_id] = clock.known
            day += timedelta(days=1)
        expected = [(key, c.params["rung"], c.day) for key, each in foreseen.items() for c in each]
        assert sorted(found) == sorted(expected)

    made(app, prepare)
