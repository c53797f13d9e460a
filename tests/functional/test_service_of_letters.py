"""發文與送達: channel, proof of service, and the days of an appeal, for the office and for the applicant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.functional.test_letters import carry_out, decided
from tests.journeys import NOW, submitted, take
from tests.officers import at, case_of, made, signed_in
from tests.visitor import Visitor
from webapp.demo.samples import picture
from webapp.extensions import db
from webapp.models import CaseEvent, Letter
from webapp.services import events
from webapp.uow import unit_of_work

OFFICER = "lin.yahan"
#: thirty days from the day after 25 September, and thirty in transit from Kinmen to the ministry in Taipei
UNTIL = "民國114年11月24日"


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def letter(app: Flask) -> Letter:
    return made(app, lambda: db.session.scalars(select(Letter)).one())


def at_letter(app: Flask, login: str = OFFICER) -> Visitor:
    visitor = signed_in(app, login)
    visitor.get(f"/staff/letters/{letter(app).public_id}")
    return visitor


def by_post(app: Flask) -> Visitor:
    officer = at_letter(app)
    officer.press("更改發文方式", {"channel": "post"})
    return officer


def day(text: str) -> dict[str, str]:
    return dict(zip(("date-year", "date-month", "date-day"), text.split("/"), strict=True))


def test_an_electronic_letter_is_served_when_its_addressee_first_opens_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = decided(app)
    carry_out(app, "letter")
    citizen, address = signed_in(app, "chen.meiling"), f"/applications/{case}"
    assert "第一次開啟這份公文時，即為送達" in citizen.get(address).text
    signed_in(app, OFFICER).get(f"{address}/letter.pdf")
    assert letter(app).served_on is None, "an officer who looks serves nobody"
    before = citizen.get(address).headers["ETag"]
    assert citizen.get(f"{address}/letter.pdf").status == 200
    assert (letter(app).served_on, letter(app).service_method) == (NOW.date(), "opened")
    page = citizen.get(address)
    assert f"得於{UNTIL}前（含當日）提起訴願" in page.text and page.headers["ETag"] != before
    assert f"得於{UNTIL}前（含當日）提起訴願" in at_letter(app).page.text
    assert UNTIL in at_letter(app).get(f"/staff/cases/{case}").text
    at(app, monkeypatch, NOW + timedelta(days=3))
    assert signed_in(app, "chen.meiling").get(f"{address}/letter.pdf").status == 200
    assert letter(app).served_on == NOW.date(), "the first time counts"

    def history() -> tuple[int, list[int]]:
        kinds = db.session.scalars(select(CaseEvent.kind)).all()
        return kinds.count("served"), events.broken_links(case_of(case).id)

    assert made(app, history) == (1, [])


@pytest.mark.parametrize(
    ("township", "detail", "place", "until"),
    [
        ("JC", "民生路60號", "kinmen", UNTIL),
        ("WQ", "大坵1號", "wuqiu", "民國114年11月24日"),
        ("other", "臺北市信義區市府路1號", "taipei", "民國114年10月27日"),
    ],
)
def test_an_electronic_letter_counts_the_days_in_transit_of_the_applicant_s_place(
    app: Flask, township: str, detail: str, place: str, until: str
) -> None:
    """The ministry sits in Taipei: thirty days more from Kinmen and Wuqiu, none from there."""

    def prepare() -> str:
        where = {"address-township": [township], "address-village": [""], "address-detail": [detail]}
        case = submitted("EC09", **where)
        take(case, "propose_rejection", comment="收據不符。")
        take(case, "confirm_rejection", "chen.shufen")
        return case.public_id

    case = made(app, prepare)
    carry_out(app, "letter")
    citizen = signed_in(app, "chen.meiling")
    citizen.get(f"/applications/{case}/letter.pdf")
    assert letter(app).transit == place
    assert f"得於{until}前（含當日）提起訴願" in citizen.get(f"/applications/{case}").text


def test_a_letter_by_post_is_served_by_its_return_slip(app: Flask) -> None:
    case = decided(app)
    carry_out(app, "letter")
    officer = by_post(app)
    assert "掛號郵寄" in officer.page.text
    signed_in(app, "chen.meiling").get(f"/applications/{case}/letter.pdf")
    assert letter(app).served_on is None, "it goes by post: looking at it serves nobody"
    officer.press(
        "登載送達",
        {"method": "return_slip", "transit": "taitung", **day("114/9/25")},
        files={"slip": [("回執.png", picture())]},
    )
    assert "送達已登載" in officer.page.text and "回執.png" in officer.page.text
    assert "得於民國114年11月3日前（含當日）提起訴願" in officer.page.text, "37 days end on a Saturday"
    slip = officer.page.links("回執：回執.png")[0]
    assert officer.get(slip).content == picture()
    assert signed_in(app, "chen.meiling").get(slip).status == 404, "the office's own paper"


@pytest.mark.parametrize(("ground", "days"), [("unknown", 20), ("abroad", 60), ("again", 1)])
def test_a_public_notice_takes_effect_by_its_ground(app: Flask, ground: str, days: int) -> None:
    decided(app)
    officer = at_letter(app)
    officer.press("更改發文方式", {"channel": "notice"})
    officer.press("登載送達", day("114/9/25"))
    assert officer.page.status == 422 and "請選擇公示送達的事由" in officer.page.mistakes[0]
    officer.press("登載送達", {"ground": ground, **day("114/9/25")})
    assert letter(app).served_on == NOW.date() + timedelta(days=days)
    assert letter(app).notice_ground == ground


def test_where_the_addressee_lives_comes_from_the_address_and_can_be_put_right(app: Flask) -> None:
    case = decided(app)
    carry_out(app, "letter")
    assert letter(app).transit == "kinmen"
    signed_in(app, "chen.meiling").get(f"/applications/{case}/letter.pdf")
    officer = at_letter(app)
    officer.press("更改所在地", {"transit": "taipei"})
    assert "臺北市：0 日" in officer.page.text and "得於民國114年10月27日前" in officer.page.text
    refused = officer.post(f"/staff/letters/{letter(app).public_id}/transit", {"transit": "moon"})
    assert refused.status == 422 and letter(app).transit == "taipei"


@pytest.mark.parametrize(
    ("typed", "field", "mistake"),
    [
        (day("114/9/24"), "date", "送達日期必須在發文日"),
        (day("114/9/26"), "date", "送達日期必須在發文日"),
        (day("114/2/30"), "date", "請填寫真實存在的日期"),
        (day("//"), "date", "請填寫真實存在的日期"),
        ({"method": "public_notice", **day("114/9/25")}, "method", "送達方式與發文方式不符"),
        ({"transit": "moon", **day("114/9/25")}, "transit", "請選擇收件人所在地"),
    ],
)
def test_what_cannot_be_the_service_is_refused_at_its_field(
    app: Flask, typed: dict[str, str], field: str, mistake: str
) -> None:
    decided(app)
    officer = by_post(app)
    page = officer.post(
        f"/staff/letters/{letter(app).public_id}/service",
        {"method": "return_slip", "transit": "kinmen", "seen": "", **typed},
    )
    assert page.status == 422 and any(mistake in each for each in page.mistakes)
    assert mistake in page.soup.select_one(f"#field-{field} .govuk-error-message").text
    assert letter(app).served_on is None


def test_a_slip_that_is_no_picture_is_refused(app: Flask) -> None:
    decided(app)
    officer = by_post(app)
    officer.press("登載送達", day("114/9/25"), files={"slip": [("a.png", b"no picture")]})
    assert officer.page.status == 422 and letter(app).served_on is None
    assert officer.page.soup.select_one("#field-slip .govuk-error-message")


def test_of_two_records_the_second_is_told_and_may_correct_it(app: Flask) -> None:
    decided(app)
    first, second = by_post(app), at_letter(app)
    first.press("登載送達", day("114/9/25"))
    second.press("登載送達", day("114/9/25"))
    assert second.page.status == 409
    second.get(f"/staff/letters/{letter(app).public_id}")
    second.press("登載送達", {"method": "deposited", **day("114/9/25")})
    assert letter(app).service_method == "deposited"
    page = second.post(f"/staff/letters/{letter(app).public_id}/channel", {"channel": "counter"})
    assert page.status == 409 and letter(app).channel == "post"


def test_electronic_service_needs_an_account(app: Flask) -> None:
    case = decided(app)

    def forget() -> None:
        with unit_of_work():
            case_of(case).account_id = None

    made(app, forget)
    officer = by_post(app)
    assert "電子送達" not in officer.page.soup.select_one("#channel").text
    page = officer.post(f"/staff/letters/{letter(app).public_id}/channel", {"channel": "electronic"})
    assert page.status == 422 and letter(app).channel == "post"


def test_the_mail_room_sees_letters_and_others_do_not(app: Flask) -> None:
    decided(app)
    pid = letter(app).public_id
    assert signed_in(app, "huang.meilan").get(f"/staff/letters/{pid}").status == 200
    assert signed_in(app, "yang.zhihao").get(f"/staff/letters/{pid}").status == 404
    assert signed_in(app, "guo.shiming").post(f"/staff/letters/{pid}/channel").status == 403
