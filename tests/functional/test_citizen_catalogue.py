"""Finding a service, and what its page says before any sign-in."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask import Flask

from tests.officers import signed_in
from tests.visitor import Page, Visitor, in_process, plain
from workflows import service
from workflows.service import GROUPS

DOG, ROAD, FARM = "犬貓絕育及寵物登記補助", "道路挖掘許可申請", "農業用地作農業使用證明書"
SHOP, HOUSE, TREES = "商業設立（變更、歇業）登記", "建造執照（雜項執照）申請", "綠化樹苗申請配撥"
ASHES, LAMP = "公立殯葬設施（殯儀館、火化場、骨灰存放）使用申請", "路燈、道路、側溝損壞通報"
MEDIATION, BULKY = "調解事件聲請", "大型廢棄物清運預約"


@pytest.fixture
def visitor(app: Flask, committed: None) -> Visitor:
    return in_process(app.test_client())


def searched(visitor: Visitor, words: str) -> Page:
    return visitor.get(f"/?q={quote(words)}")


def titles(page: Page) -> list[str]:
    return [plain(card) for card in page.soup.select(".app-card__title")]


def test_detail_02_cards_show_fee_days_and_online_or_in_person(visitor: Visitor) -> None:
    page = visitor.get("/")
    headings = [plain(h) for h in page.soup.select("h2.govuk-heading-m")]
    assert headings == [group.zh for group in GROUPS.values() if group.zh in headings]
    assert {"農林漁牧", "寵物與動物", "道路與管線"} <= set(headings)
    facts = {
        plain(card.select_one(".app-card__title")): [plain(f) for f in card.select(".app-card__facts li")]
        for card in page.soup.select(".app-card")
    }
    choices = page.soup.select(".app-card__choice")
    asking = page.soup.select(".app-card__choices")
    assert len(facts) - len(asking) + len(choices) == len(service.read_all())
    assert facts[DOG] == ["14 個工作天", "免費", "線上申辦", "用電話確認身分"]
    assert facts[FARM] == ["20 個工作天", "NT$ 500 起", "需到場一次", "要核對文件正本"]
    assert facts["民宿登記申請"][2:] == ["線上申辦，正本當面核對"]
    assert facts[ROAD] == ["10 個工作天", "費用審查後通知", "線上申辦", "用電話確認身分"]


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("開店", SHOP),
        ("open a shop", SHOP),
        ("蓋房子", HOUSE),
        ("build a house", HOUSE),
        ("挖路", ROAD),
        ("dig up the road", ROAD),
        ("spay my dog", DOG),
        ("種樹", TREES),
        ("plant trees", TREES),
        ("骨灰", ASHES),
        ("ashes", ASHES),
        ("民宿", "民宿登記申請"),
        ("homestay", "民宿登記申請"),
        ("路燈壞了", LAMP),
        ("金城 路燈壞了", LAMP),
        ("street light is broken", LAMP),
        ("車禍和解", MEDIATION),
        ("settle a car accident", MEDIATION),
        ("廢家具", BULKY),
        ("old furniture", BULKY),
        ("开店", SHOP),
        ("狗", DOG),
        ("狗結紮", DOG),
        ("我想要申請貓結紮的補助", DOG),
        ("ＥＣ０９", DOG),
        ("挖馬路", ROAD),
        ("請問挖馬路要辦什麼？", ROAD),
        ("農地證明", FARM),
        ("excavation", ROAD),
        ("How do I get a farm certificate", FARM),
    ],
)
def test_detail_01_search_in_everyday_words_finds_the_service(
    visitor: Visitor, words: str, title: str
) -> None:
    page = searched(visitor, words)
    assert titles(page)[0] == title
    assert page.value("q") == words


@pytest.mark.parametrize(
    "words",
    [
        "假牙",
        "dentures",
        "護照",
        "passport",
        "的",
        "？？？",
        "🐍",
        "蛇" * 10_000,
        "' OR '1'='1",
        "<script>alert(1)</script>",
    ],
)
def test_detail_01_a_word_without_a_service_gets_an_honest_answer_and_a_contact(
    visitor: Visitor, words: str
) -> None:
    page = searched(visitor, words)
    assert page.status == 200
    assert "找不到和" in page.text
    assert page.soup.select_one('.govuk-inset-text a[href="tel:1999"]') is not None
    assert "<script>alert" not in str(page.soup)


@pytest.mark.parametrize("words", ["調解", "車禍和解"])
def test_detail_01_mediation_asks_where_the_other_side_lives(visitor: Visitor, words: str) -> None:
    """鄉鎮市調解條例 13: where the two live apart, theirs decides."""
    card = searched(visitor, words).soup.select_one(".app-card")
    assert "對方住在哪個鄉鎮" in plain(card) and "您住在哪個鄉鎮" not in plain(card)


def test_detail_01_what_several_townships_offer_asks_for_the_township(visitor: Visitor) -> None:
    page = searched(visitor, "廢家具")
    assert titles(page) == [BULKY]
    [card] = page.soup.select(".app-card")
    assert "您住在哪個鄉鎮？" in plain(card)
    assert "住在烏坵鄉" in plain(card), "it is not among the choices"
    choices = {plain(link): link["href"] for link in card.select("a")}
    assert choices == {
        town: f"/services/{code}02"
        for town, code in (
            ("金城鎮", "JC"),
            ("金湖鎮", "JH"),
            ("金沙鎮", "JS"),
            ("金寧鄉", "JN"),
            ("烈嶼鄉", "LY"),
        )
    }
    assert visitor.get(str(choices["烈嶼鄉"])).heading == "烈嶼鄉大型廢棄物清運預約"
    assert titles(searched(visitor, "金沙的廢家具")) == ["金沙鎮大型廢棄物清運預約"]
    # of the other four the exit page of one makes no look-alikes either
    assert titles(visitor.get("/services/LY02?eligible=no")).count(BULKY) == 1


def test_detail_01_a_mistyped_word_is_asked_back(visitor: Visitor) -> None:
    page = searched(visitor, "路登壞了")
    assert "找不到和「路登壞了」有關的申辦項目" in page.text
    assert "您要找的是不是：" in page.text
    assert titles(page)[0] == LAMP


@pytest.mark.parametrize(
    ("assurance", "on_the_card", "on_the_page"),
    [
        ("none", "不用確認身分", "不用確認身分，留下聯絡方式就好。"),
        ("phone", "用電話確認身分", "承辦人會用您留的電話和您確認身分。"),
        ("strong", "要確認身分證件", "審查時要確認您的身分證件"),
        ("originals", "要核對文件正本", "審查時要核對文件的正本"),
    ],
)
def test_every_service_says_how_it_makes_sure_who_applies(
    visitor: Visitor, assurance: str, on_the_card: str, on_the_page: str
) -> None:
    services = [service.load(mapping, facts=None) for mapping in service.read_all().values()]
    one = next(each for each in services if each.assurance == assurance)
    card = next(c for c in visitor.get("/").soup.select(".app-card") if one.title.zh in plain(c))
    assert on_the_card in [plain(fact) for fact in card.select(".app-card__facts li")]
    assert on_the_page in visitor.get(f"/services/{one.code}").text


def test_what_is_to_be_verified_is_told_to_administrators_alone(app: Flask, visitor: Visitor) -> None:
    note = service.read_all()["EC01"]["basis_status"]
    administrator = signed_in(app, "admin")
    page = administrator.get("/services/EC01")
    assert f"法令依據待確認：{note}" in page.text
    page = administrator.follow("看所有待確認的申辦項目")
    unsure = {code for code, each in service.read_all().items() if "待確認" in each["basis_status"]}
    assert {str(link["href"])[-4:] for link in page.soup.select("main td a")} == unsure
    assert note in page.text
    for other in (visitor, signed_in(app, "chen.meiling"), signed_in(app, "weng.guoliang")):
        page = other.get("/services/EC01")
        assert "待確認" not in page.text and note not in page.text


def test_detail_03_the_start_page_lists_documents_eligibility_and_minutes_before_login(
    visitor: Visitor,
) -> None:
    page = visitor.get("/services/EC06")
    for words in (
        "約 20 分鐘",
        "20 個工作天",
        "申請資格",
        "土地登記謄本",
        "委託書",
        "需要的情況：「代理人與申請人的關係」選「受申請人委託」",
        "PDF、JPG、PNG，每個檔案最大 10 MB",
        "農業用地作農業使用認定及核發證明辦法第13條",
        "審查時要核對文件的正本",
    ):
        assert words in page.text, words
    ways = [plain(a) for a in page.soup.select(".app-ways .govuk-button")]
    assert ways == ["登入後申請", "用手機驗證碼", "不登入，直接申請"]


def test_detail_04_whoever_is_not_eligible_comes_to_an_exit_page_with_alternatives(visitor: Visitor) -> None:
    visitor.get("/services/EC09")
    page = visitor.follow("我不符合這些資格，還有什麼辦法？")
    assert page.heading.startswith("不符合申請資格時")
    assert set(page.links("082-336625")) == {"tel:082-336625"}, (
        "of the unit that handles it, as on its papers"
    )
    assert "082-318823#62300" not in page.text
    assert visitor.follow("我其實符合資格，回去申請").heading == DOG


def test_an_unknown_service_is_not_found(visitor: Visitor) -> None:
    assert visitor.get("/services/ZZ99").status == 404
    assert visitor.post("/services/ZZ99/start").status == 404


def test_staff_are_led_to_the_intake_page(app: Flask, committed: None) -> None:
    clerk = signed_in(app, "huang.meilan")
    assert clerk.get("/services/EC09").links("代為收件") == ["/staff/intake"]
    assert clerk.post("/services/EC09/start").status == 403


@pytest.mark.parametrize(
    "path", ["/help", "/privacy", "/accessibility", "/outbox", "/track", "/applications"]
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_that_stand_for_themselves(visitor: Visitor, path: str, lang: str) -> None:
    visitor.get(f"/language/{lang}")
    page = visitor.get(path)
    assert page.status == 200
    assert page.heading


def test_the_outbox_is_for_the_demonstration_and_administrators(
    app: Flask, visitor: Visitor, monkeypatch
) -> None:
    monkeypatch.setitem(app.config, "DEMO", False)
    assert visitor.get("/outbox").status == 403
    assert signed_in(app, "chen.meiling").get("/outbox").status == 403
    assert signed_in(app, "admin").get("/outbox").status == 200


def test_a_code_that_opens_an_account_is_shown_in_the_demonstration_only(
    app: Flask, visitor: Visitor, monkeypatch
) -> None:
    visitor.get("/sign-in/mobile")
    visitor.press("傳送驗證碼", {"mobile": "0912345678"})
    assert "驗證碼是" in visitor.get("/outbox").text
    monkeypatch.setitem(app.config, "DEMO", False)
    assert "驗證碼是" not in signed_in(app, "admin").get("/outbox").text


def test_the_language_is_chosen_on_every_page(visitor: Visitor) -> None:
    visitor.get("/services/EC09")
    page = visitor.follow("English")
    assert (page.path, page.heading) == ("/services/EC09", "Subsidy for neutering and pet registration")
    assert visitor.follow("中文").heading == DOG


@pytest.mark.parametrize(
    ("code", "lang", "says"),
    [
        ("AD04", "zh", "3 個月（補正後重新起算）"),
        ("EC01", "en", "working days, starting anew after a correction"),
        ("EC09", "zh", "14 個工作天（補正期間不計入）"),
    ],
)
def test_the_limit_says_what_a_correction_does_to_it(
    visitor: Visitor, code: str, lang: str, says: str
) -> None:
    if lang == "en":
        visitor.get("/language/en?next=/help")
    assert says in visitor.get(f"/services/{code}").text
