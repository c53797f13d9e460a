"""The last day of an appeal."""

from datetime import date

import pytest

from workflows.calendar import WorkingCalendar
from workflows.remedy import GROUNDS, TRANSIT, appeal_until, place_of, seat_of, served_by_notice


@pytest.mark.parametrize(
    ("served", "place", "seat", "until"),
    [
        (date(2025, 9, 25), "kinmen", "kinmen", date(2025, 10, 27)),  # the 25th is a Saturday and a holiday
        (date(2025, 9, 29), "kinmen", "kinmen", date(2025, 10, 29)),
        (
            date(2025, 9, 29),
            "kinmen",
            "taipei",
            date(2025, 11, 28),
        ),  # a ministry decides: thirty days from Kinmen
        (date(2025, 9, 29), "taipei", "taipei", date(2025, 10, 29)),
        (date(2025, 9, 29), "taipei", "new_taipei", date(2025, 10, 31)),
        (date(2025, 9, 29), "taipei", "kinmen", date(2025, 11, 28)),
        (date(2025, 9, 29), "wuqiu", "kinmen", date(2025, 11, 28)),
        (date(2025, 9, 29), "mainland", "taipei", date(2025, 12, 5)),
        (date(2025, 9, 29), "overseas", "taipei", date(2025, 12, 12)),
        (date(2025, 9, 29), "africa", "kinmen", date(2026, 1, 9)),
    ],
)
def test_the_last_day_of_an_appeal(served: date, place: str, seat: str, until: date) -> None:
    assert appeal_until(served, place, seat, WorkingCalendar()) == until


def test_a_stop_work_day_moves_the_last_day() -> None:
    calendar = WorkingCalendar(off={date(2025, 10, 29): "颱風"})
    assert appeal_until(date(2025, 9, 29), "kinmen", "kinmen", calendar) == date(2025, 10, 30)


def test_days_in_transit_are_those_of_the_regulation() -> None:
    assert {name: place.taipei for name, place in TRANSIT.items()} == {
        "wuqiu": 30, "kinmen": 30, "taipei": 0, "new_taipei": 2, "keelung": 2, "taoyuan": 3, "hsinchu": 4,
        "miaoli": 4, "taichung": 4, "changhua": 5, "nantou": 4, "yunlin": 5, "chiayi": 5, "tainan": 5,
        "kaohsiung": 5, "kaohsiung2": 6, "pingtung": 6, "yilan": 4, "hualien": 6, "taitung": 7, "penghu": 20,
        "matsu": 30, "mainland": 37, "asia": 37, "overseas": 44, "africa": 72,
    }  # fmt: skip
    abroad = {"mainland", "asia", "overseas", "africa"}
    in_taiwan = {place.kinmen for name, place in TRANSIT.items() if name not in abroad}
    assert in_taiwan == {0, 30} and TRANSIT["kinmen"].kinmen == 0
    assert all(len(name) <= 10 for name in TRANSIT), "as the column takes it"


@pytest.mark.parametrize(
    ("remedy", "seat"),
    [
        ("經由原處分機關（本府）向訴願管轄機關（農業部）提起訴願。", "taipei"),
        ("經由原處分機關（金城鎮公所）向訴願管轄機關（金門縣政府）提起訴願。", "kinmen"),
        ("經由原處分機關（金門縣政府）向訴願管轄機關（文化部）提起訴願。", "new_taipei"),
        ("得向本府陳情。", None),
    ],
)
def test_the_notice_of_remedies_names_the_authority(remedy: str, seat: str | None) -> None:
    assert seat_of(remedy) == seat


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("金門縣金城鎮民生路 60 號", "kinmen"),
        ("金城鎮民生路60號", "kinmen"),
        ("金門縣烏坵鄉大坵村", "wuqiu"),
        ("台北市中正區臺南路1號", "taipei"),
        ("臺北市大同區金門縣同鄉會", "taipei"),
        ("新竹市東區", "hsinchu"),
        ("高雄市鼓山區", "kaohsiung"),
        ("高雄市鳳山區", "kaohsiung2"),
        ("香港九龍", "mainland"),
        ("民生路60號", "taipei"),
        ("", "taipei"),
    ],
)
def test_where_an_address_lies(address: str, place: str) -> None:
    assert place_of(address, "taipei") == place


def test_a_public_notice_takes_effect_by_its_ground() -> None:
    effective = {ground: served_by_notice(date(2025, 9, 25), ground) for ground in GROUNDS}
    assert effective == {
        "unknown": date(2025, 10, 15),
        "abroad": date(2025, 11, 24),
        "again": date(2025, 9, 26),
    }
