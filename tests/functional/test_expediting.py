"""The page 稽催 and 調卷分析: what the sweep did and will do, what is late, who holds it and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from tests.journeys import NOW, account, login_of, officer, open_tasks, submitted, take
from tests.officers import absent, at, case_of, corrected, made, signed_in, statements
from tests.visitor import Page, plain
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, FileReview
from webapp.queries import expediting, holding
from webapp.queries.generations import bump
from webapp.services import events, recall
from webapp.uow import unit_of_work

PAGE = "/staff/expediting"
#: EC09 filed on NOW is due on 2025-10-20, a Monday
DUE_DAY = datetime(2025, 10, 20, 1, tzinfo=UTC)
LATE = DUE_DAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, LATE)
    yield


def rows(page: Page, caption: str) -> list[list[str]]:
    tables = {plain(t.caption): t for t in page.soup.select("table")}
    found = tables.get(caption)
    return [[plain(cell) for cell in row.select("td")] for row in found.select("tbody tr")] if found else []


def test_it_says_what_the_last_sweep_did_and_what_the_next_one_will(app: Flask) -> None:
    def prepare() -> list[str]:
        first, second = submitted("EC09"), submitted("EC09")
        run_deadlines(LATE)
        return [first.number, second.number]

    numbers = made(app, prepare)
    head = signed_in(app, "chen.shufen")
    head.get("/staff/inbox")
    page = head.follow("稽催")
    assert page.path == PAGE and page.heading == "稽催"
    assert "看過的期限" in page.text and "2 個" in page.text
    reached = rows(page, "這次掃描到達的階段")
    assert [row[:2] for row in reached] == [
        ["到期前預警", "2"],
        ["到期通知", "2"],
        ["逾期第一次稽催", "2"],
    ]
    assert reached[0][2] == "、".join(numbers)
    # on the 22nd two working days are over: nothing new; the second reminder comes on the 23rd
    assert rows(page, "下一個工作天將到達的階段") == []


def test_what_will_be_reached_comes_true(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    made(app, lambda: [submitted("EC09"), run_deadlines(DUE_DAY)])
    at(app, monkeypatch, DUE_DAY)
    coming = rows(signed_in(app, "chen.shufen").get(PAGE), "下一個工作天將到達的階段")
    assert [row[0] for row in coming] == ["逾期第一次稽催"]
    made(app, lambda: run_deadlines(LATE))
    at(app, monkeypatch, LATE)
    page = signed_in(app, "chen.shufen").get(PAGE)  # a session does not last a night
    assert rows(page, "這次掃描到達的階段") == coming


def test_a_late_case_stands_there_with_the_step_and_hands_that_hold_it(app: Flask) -> None:
    def prepare() -> tuple[str, str]:
        case = submitted("EC09")
        holder = open_tasks(case)[0].assignee_id
        name = next(n for n in ("lin.yahan", "xu.mingde") if account(n).id == holder)
        return case.number, account(name).name

    number, name = made(app, prepare)
    ((case, service, due, unit, held, _),) = rows(signed_in(app, "chen.shufen").get(PAGE), "逾期案件")
    assert (case, service, due, unit) == (
        number, "犬貓絕育及寵物登記補助", "▲逾期 1 個工作天", "動植物防疫所",
    )  # fmt: skip
    # from 25 September to 21 October: 26 days, of which 8 of weekends and three holidays
    assert held.endswith("停留 15 個工作天") and name in held


def test_a_late_branch_stands_there_by_itself_and_the_filter_finds_its_unit(app: Flask) -> None:
    def prepare() -> str:
        case = submitted("PW01")
        take(case, "split")
        return case.number

    number = made(app, prepare)
    research = signed_in(app, "guo.shiming")
    every = rows(research.get(PAGE), "逾期案件")
    assert [row[0].split()[0] for row in every] == [number] * 3
    (police,) = rows(research.get(f"{PAGE}?unit=PO"), "逾期案件")
    assert police[0] == f"{number} 會辦" and police[3] == "警察局"
    assert police[4].count("停留") == 1
    assert len(rows(research.get(f"{PAGE}?unit=EC"), "逾期案件")) == 0
    assert len(rows(research.get(f"{PAGE}?unit=nonsense&after=nonsense"), "逾期案件")) == 3


def test_heads_see_their_own_units_only_and_officers_do_not_see_the_page(app: Flask) -> None:
    made(app, lambda: [submitted("EC09"), run_deadlines(LATE)])
    other = signed_in(app, "zhang.jianguo").get(PAGE)
    assert rows(other, "逾期案件") == [] and rows(other, "這次掃描到達的階段") == []
    assert signed_in(app, "lin.yahan").get(PAGE).status == 403


def test_pages_follow_each_other_and_cost_the_same(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expediting, "PAGE", 2)

    def cost() -> int:
        with statements(monkeypatch) as seen:
            page = signed_in(app, "chen.shufen").get(PAGE)
        assert page.status == 200
        return len(seen)

    made(app, lambda: [submitted("EC09"), run_deadlines(LATE)])
    cost()  # the first page of a process reads the definitions
    few = cost()
    numbers = made(app, lambda: [submitted("EC09").number for _ in range(5)])
    made(app, lambda: run_deadlines(LATE + timedelta(minutes=5)))
    assert cost() == few
    head = signed_in(app, "chen.shufen")
    page, found = head.get(PAGE), []
    for _ in range(3):
        found += [row[0] for row in rows(page, "逾期案件")]
        page = head.follow("下一頁") if page.links("下一頁") else page
    assert len(found) == 6 and set(numbers) < set(found)
    assert plain(page.soup.select_one("#overdue")).endswith("6 件")


def test_the_list_of_a_month_is_a_file(app: Flask) -> None:
    number = made(app, lambda: submitted("EC09").number)
    page = signed_in(app, "guo.shiming").get(f"{PAGE}/overdue.csv")
    assert page.headers["Content-Disposition"] == 'attachment; filename="overdue-2025-10-21.csv"'
    head, line = page.content.decode("utf-8-sig").splitlines()
    assert head.startswith("單位,案號,項目,到期日,逾期工作天")
    assert line.startswith(f"動植物防疫所,{number},犬貓絕育及寵物登記補助,")
    assert line.endswith(",15,動植物防疫所,審查申請,15")


def test_the_list_of_a_past_month_is_a_page_and_two_files(app: Flask) -> None:
    def prepare() -> list[str]:
        cases = [submitted("EC09"), submitted("EC09")]
        with unit_of_work():
            # as somebody might call themselves
            account(login_of(open_tasks(cases[0])[0].assignee_id or 0)).name = "=HYPERLINK(1)"
            bump("org")
        run_deadlines(LATE)
        take(case_of(cases[1].public_id), "return_application", now=LATE, comment="非本縣飼主。")
        return [case.number for case in cases]

    numbers = made(app, prepare)
    head = signed_in(app, "chen.shufen")
    listed = rows(head.get(PAGE), "每月逾期未辦畢清單")
    assert [(row[0], row[2]) for row in listed] == [("114年10月", "2")]
    page = head.follow("114年10月")
    assert page.heading == "114年10月逾期未辦畢清單"
    assert [row[0] for row in rows(page, "114年10月逾期未辦畢清單")] == numbers
    lines = head.follow("CSV").content.decode("utf-8-sig").splitlines()
    assert [line.split(",")[1] for line in lines] == ["案號", *numbers]
    assert ",'=HYPERLINK(1)," in lines[1]
    head.get(f"{PAGE}/months/2025-10")
    book = head.follow("XLSX")
    assert book.headers["Content-Disposition"] == 'attachment; filename="overdue-2025-10.xlsx"'
    sheet = load_workbook(BytesIO(book.content)).active
    cells = list(sheet.iter_rows())
    assert [cell.value for cell in cells[0]] == lines[0].split(",")
    assert [row[1].value for row in cells[1:]] == numbers
    assert (cells[1][6].value, cells[1][6].data_type) == ("=HYPERLINK(1)", "s")
    assert [row[4].value for row in cells[1:]] == [1, 1]


def test_the_list_of_a_month_shows_each_head_their_own_units(app: Flask) -> None:
    number = made(app, lambda: [submitted("EC09").number, run_deadlines(LATE)][0])
    month = f"{PAGE}/months/2025-10"
    for login, expected in (("guo.shiming", [number]), ("zhang.jianguo", [])):
        reader = signed_in(app, login)
        page = reader.get(month)
        assert [row[0] for row in rows(page, page.heading)] == expected
        assert reader.get(f"{month}/list.csv").content.decode().count("EC09-114") == len(expected)
    assert signed_in(app, "lin.yahan").get(month).status == 403
    for nonsense in ("2025-09", "2025-13", "x", "2025-10-01"):
        assert signed_in(app, "guo.shiming").get(f"{PAGE}/months/{nonsense}").status == 404


def test_time_belongs_to_whoever_held_the_file(app: Flask) -> None:
    """The officer two days, the applicant three, the officer again: 26 and 30 September, 1 to 3 October."""

    def prepare() -> tuple[str, list[tuple[str, int]]]:
        case = submitted("EC09")
        pid = case.public_id
        take(
            case, "request_correction", now=NOW + timedelta(days=5), fields=("amount",), comment="請確認金額"
        )
        corrected(case_of(pid), NOW + timedelta(days=8), amount=["3200"])
        spans = holding.of_case(case_of(pid), NOW + timedelta(days=12))
        return pid, [(span.unit.zh, span.days) for span in spans]

    pid, spans = made(app, prepare)
    # 27 to 29 September are a weekend and a holiday; 6 October is a holiday
    assert spans == [("動植物防疫所", 2), ("申請人", 3), ("動植物防疫所", 1)]
    page = signed_in(app, "chen.shufen").get(f"/staff/cases/{pid}/holding")
    assert [row[1] for row in rows(page, "各關卡持有時間")] == ["動植物防疫所", "申請人", "動植物防疫所"]
    assert dict(rows(page, "各單位合計"))["申請人"] == "3"


def test_what_was_taken_back_is_held_twice_and_by_nobody_before_it_was_received(app: Flask) -> None:
    def prepare() -> list[tuple[str, str, int, bool]]:
        case = submitted("EC09")
        who = officer(login_of(open_tasks(case)[0].assignee_id or 0))
        take(case, "propose_approval", now=NOW + timedelta(hours=2))
        with unit_of_work():
            recall.recall(who, case, NOW + timedelta(hours=3), version=case.version)
        take(case, "propose_approval", now=NOW + timedelta(days=5))
        spans = holding.of_case(case, NOW + timedelta(days=6))
        ended = [span.finished or NOW + timedelta(days=6) for span in spans]
        in_order = [span.received <= end for span, end in zip(spans, ended, strict=True)]
        return [(s.step.zh, s.holder, s.days, ok) for s, ok in zip(spans, in_order, strict=True)]

    spans = made(app, prepare)
    assert [step for step, _who, _days, _ok in spans] == ["審查申請", "決行", "審查申請", "決行"]
    assert [days for _step, _who, days, _ok in spans] == [0, 0, 2, 1]
    assert all(ok for *_rest, ok in spans)


def test_the_days_before_registration_are_the_counter_s(app: Flask) -> None:
    def prepare() -> list[tuple[str, str, str, int]]:
        case = submitted("EC09")
        clerk = account("huang.meilan").id
        with unit_of_work():
            case.channel, case.filed_on = "post", NOW.date() - timedelta(days=8)
            received = (NOW.date() - timedelta(days=7)).isoformat()
            case.intake = {"channel": "post", "clerk": clerk, "received_on": received}
        return [(s.step.zh, s.unit.zh, s.holder, s.days) for s in holding.of_case(case, NOW)]

    first, second = made(app, prepare)
    assert first == ("收件登錄", "金門縣政府", "黃美蘭", 5), "from the receipt, not from the postmark"
    assert second[0] == "審查申請" and second[3] == 0


def test_co_review_time_is_the_consulted_unit_s(app: Flask) -> None:
    def prepare() -> dict[str, int]:
        case = submitted("PW01")
        take(case, "split", now=NOW + timedelta(days=1))
        return {u.zh: n for u, n in holding.by_unit(holding.of_case(case, NOW + timedelta(days=7)))}

    days = made(app, prepare)
    assert days == {"養護工程所": 1, "警察局": 3, "環境保護局": 3}


def test_a_head_writes_an_opinion_that_stays(app: Flask) -> None:
    pid = made(app, lambda: submitted("EC09").public_id)
    head = signed_in(app, "chen.shufen")
    head.get(f"/staff/cases/{pid}/holding")
    refused = head.press("記錄意見", {"opinion": "  "})
    assert refused.status == 422 and refused.mistakes == ["請寫下您的意見。"]
    for _ in range(2):  # two clicks are one opinion
        head.get(f"/staff/cases/{pid}/holding")
        page = head.press("記錄意見", {"opinion": "審查停留過久，應先請示。"})
    assert "審查停留過久，應先請示。" in page.text and "陳淑芬" in page.text

    def look() -> tuple[int, list[int], list[str]]:
        case = case_of(pid)
        found = db.session.query(events.CaseEvent).filter_by(case_id=case.id).order_by(events.CaseEvent.id)
        kinds = [event.kind for event in found]
        return len(db.session.scalars(select(FileReview)).all()), events.broken_links(case.id), kinds

    assert made(app, look) == (1, [], ["submitted", "file_reviewed"])
    assert "調卷分析意見" in head.get(f"/staff/cases/{pid}").text
    officer = signed_in(app, made(app, lambda: holder_of(pid)))
    assert not officer.get(f"/staff/cases/{pid}/holding").offers("記錄意見")
    assert officer.post(f"/staff/cases/{pid}/holding", {"opinion": "不是我。"}).status == 403


def test_a_deputy_s_opinion_says_for_whom(app: Flask) -> None:
    pid = made(app, lambda: submitted("EC09").public_id)
    made(app, lambda: absent("chen.shufen", "hong.peishan", LATE.date(), LATE.date()))
    deputy = signed_in(app, "hong.peishan")
    deputy.get(f"/staff/cases/{pid}/holding")
    assert "代 陳淑芬" in deputy.press("記錄意見", {"opinion": "待補件過久。"}).text


def test_the_pages_in_english(app: Flask) -> None:
    pid = made(app, lambda: [submitted("EC09").public_id, run_deadlines(LATE)][0])
    head = signed_in(app, "chen.shufen")
    head.get("/language/en")
    assert head.get(PAGE).heading == "Expediting"
    assert head.get(f"/staff/cases/{pid}/holding").heading == "Review of the file"


def holder_of(pid: str) -> str:
    case = db.session.scalars(select(Case).where(Case.public_id == pid)).one()
    holder = open_tasks(case)[0].assignee_id
    return next(n for n in ("lin.yahan", "xu.mingde") if account(n).id == holder)
