"""What neighbours say finds the service that they mean; what the counter does not offer finds nothing."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from webapp.queries import catalogue, definitions
from workflows import service

QUESTIONS = Path(__file__).resolve().parents[1] / "data" / "everyday_words.csv"
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def services() -> list[service.ServiceDefinition]:
    return [service.load(mapping, facts=None) for _, mapping in sorted(service.read_all().items())]


@pytest.fixture(autouse=True)
def published(services: list[service.ServiceDefinition], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "current_services", lambda on: services)


def answers(question: str) -> list[str]:
    return [hit.service.code for hit in catalogue.search(question, TODAY).hits]


def test_what_neighbours_say_finds_the_service_first() -> None:
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        asked = [(row["question"], row["service"]) for row in csv.DictReader(file)]
    codes = {code for _, code in asked}
    assert len(asked) > 150
    wrong = {question: answers(question)[:3] for question, code in asked if answers(question)[:1] != [code]}
    assert wrong == {}
    # every service is asked for, those of several townships by the first of them
    assert codes == {hit.service.code for group in catalogue.groups(TODAY) for hit in group.hits}


@pytest.mark.parametrize(
    "question",
    [
        "假牙", "裝假牙", "老人假牙補助", "護照", "护照", "結婚登記", "駕照過期", "健保卡", "印鑑證明", "幼兒園", "機票", "勞保",
        "房租補助", "戶籍遷入", "考駕照", "打疫苗", "抓蛇", "里長", "放鞭炮", "公廁", "死亡證明",
        "dentures", "passport", "marriage certificate", "health insurance", "kindergarten", "divorce",
    ],
)  # fmt: skip
def test_what_the_counter_does_not_offer_is_not_found(question: str) -> None:
    assert answers(question) == []


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("路登壞了", "PW02"),
        ("homstay", "TR01"),
        ("scholarshp", "ED04"),
        ("結札補助", "EC09"),
    ],
)
def test_a_word_with_one_mistake_is_asked_back(question: str, code: str) -> None:
    answer = catalogue.search(question, TODAY)
    assert answer.hits == ()
    assert answer.guesses[0].service.code == code


def test_a_word_that_a_service_only_mentions_is_no_guess_at_it() -> None:
    """A death is a reason to enlist later; who looks for a death certificate does not look for that."""
    assert catalogue.search("死亡證明", TODAY).guesses == ()
    assert catalogue.search("false teeth", TODAY).guesses == (), "not a report of corruption"


def test_who_wants_to_sue_the_county_reads_of_the_appeal_and_of_the_compensation() -> None:
    assert set(answers("告政府")) == {"AD04", "AD05"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("开店", "開店"),
        ("盖房子", "蓋房子"),
        ("路灯坏了", "路燈壞了"),
        ("狗結扎", "狗結紮"),
        ("ＥＣ０９", "EC09"),
        ("ＨＯＭＥＳＴＡＹ", "homestay"),
        ("請問 我想要開店 ，要去哪裡申請？", "開店"),
        ("houses", "house"),
        ("Neutering", "neuter"),
    ],
)
def test_how_it_is_written_does_not_matter(one: str, other: str) -> None:
    assert answers(one)
    assert answers(one)[0] == answers(other)[0]


@pytest.mark.parametrize(
    "question", ["", "的", "申請", "？？？", "🐶🐶", "' OR 1=1 --", "\x00", "蛇" * 10_000, "路燈" * 5000]
)
def test_any_question_is_answered(question: str) -> None:
    answer = catalogue.search(question, TODAY)
    assert [hit.service.code for hit in answer.hits] in ([], ["PW02"])


def test_what_several_townships_offer_is_one_answer_that_asks_for_the_township() -> None:
    [hit, *others] = catalogue.search("廢家具", TODAY).hits
    assert (hit.title.zh, hit.title.en) == ("大型廢棄物清運預約", "Bulky-waste collection")
    assert [office.township.zh for office in hit.offices] == [
        "金城鎮",
        "金湖鎮",
        "金沙鎮",
        "金寧鄉",
        "烈嶼鄉",
    ]
    assert [office.service.code for office in hit.offices] == ["JC02", "JH02", "JS02", "JN02", "LY02"]
    assert "金城" not in hit.summary.zh and "Jincheng" not in hit.summary.en
    assert [other.offices for other in others if "J" in other.service.code] == []


@pytest.mark.parametrize(
    ("question", "codes"),
    [
        ("金城 廢家具", ["JC02"]),
        ("烈嶼鄉公所 廢家具", ["LY02"]),
        ("小金門要丟沙發", ["LY02"]),
        ("bulky waste in Jinhu", ["JH02"]),
        ("金沙 金寧 調解", ["JS01", "JN01"]),
        ("金城 路燈壞了", ["PW02"]),
        ("金沙鎮", ["JS01", "JS02", "JS03"]),
    ],
)
def test_a_township_that_is_named_answers_first_and_without_asking(question: str, codes: list[str]) -> None:
    hits = catalogue.search(question, TODAY).hits
    assert sorted(hit.service.code for hit in hits[: len(codes)]) == sorted(codes)
    assert [hit.offices for hit in hits[: len(codes)]] == [()] * len(codes)


@pytest.mark.parametrize(
    "question", ["金城鎮", "金城鎮 申請", "請問金城鎮公所可以辦什麼", "apply in Jincheng"]
)
def test_a_township_alone_shows_what_its_office_offers(question: str) -> None:
    assert {hit.service.owner for hit in catalogue.search(question, TODAY).hits} == {"JC"}


def test_the_catalogue_holds_every_service_once(services: list[service.ServiceDefinition]) -> None:
    hits = [hit for group in catalogue.groups(TODAY) for hit in group.hits]
    shown = [s.code for hit in hits for s in ([o.service for o in hit.offices] or [hit.service])]
    assert sorted(shown) == [s.code for s in services]
    assert sum(bool(hit.offices) for hit in hits) == 2
