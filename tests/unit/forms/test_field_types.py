"""Each type: what is taken as which answer, and what is said about the rest."""

from datetime import date
from typing import Any

import pytest

from forms import answers, loader
from forms.field_types import FIELD_TYPES
from forms.places import TOWNSHIPS
from rules.values import DefinitionError
from tests.form_fixtures import NAMES, answer, complaint, factory_form, fill, form_named


def test_every_type_stands_in_a_fixture() -> None:
    used = {field.type for name in NAMES for top in form_named(name).fields for field in (top, *top.columns)}
    assert used == set(FIELD_TYPES)


@pytest.mark.parametrize(
    ("form", "key", "typed", "expected"),
    [
        ("texts", "name", "  王  小明\t", "王 小明"),
        ("texts", "name", "力行", "力行"),  # a compatibility ideograph
        ("texts", "name", "王\x00小\u200b明", "王小明"),
        ("texts", "name", "𠮷野", "𠮷野"),
        ("texts", "story", "一\r\n二\r\n", "一\n二"),
        ("texts", "chip", "１２３ ４５６", "123456"),
        ("texts", "permit", "ab99x", "AB-99X"),
        ("texts", "permit", "ａｂ－９９－９", "AB-999"),
        ("codes", "person", "ａ１２３ ４５６－７８９", "A123456789"),
        ("codes", "person", "A800000014", "A800000014"),
        ("codes", "company", "０４５９５２５７", "04595257"),
        ("codes", "either", "04595257", "04595257"),
        ("codes", "either", "WC00000012", "WC00000012"),
        ("codes", "phone", "（０８２）３１８８２３", "082-318823"),
        ("codes", "email", " Ｎame@example.com ", "Name@example.com"),
        ("codes", "parcel", "１２３－１", "0123-0001"),
        ("codes", "household", "ｗ1234567", "W1234567"),
        ("codes", "plate", "abc－1235", "ABC-1235"),
        ("codes", "plate", "w1-2345", "W1-2345"),
        ("numbers", "people", "２０ 人", 20),
        ("numbers", "count", "-1,234", -1234),
        ("numbers", "count", "0", 0),
        ("numbers", "depth", "1.50 公尺", "1.5"),
        ("numbers", "depth", "1,234.5m", "1234.5"),
        ("numbers", "change", "−0.5", "-0.5"),
        ("numbers", "change", "0.00", "0"),
        ("numbers", "amount", "NT$ 44,000 元", "44000"),
        ("numbers", "amount", "新臺幣３，５００元整", "3500"),
        ("numbers", "amount", "100.00", "100"),
        ("choices", "species", " dog ", "dog"),
        ("choices", "tools", {"tools": ["drill", "spade", "drill", ""]}, ["spade", "drill"]),
        ("choices", "night", "no", False),
        ("choices", "night", "是", True),
        ("choices", "consent", "yes", True),
        ("choices", "township", "WQ", "WQ"),
        ("files", "proof", {"proof": ["a-1", "b_2", "a-1", " "]}, ["a-1", "b_2"]),
        ("files", "extra", "", None),
    ],
)
def test_what_is_taken(form: str, key: str, typed: dict[str, object] | str, expected: object) -> None:
    assert answer(form, key, typed) == expected


@pytest.mark.parametrize(
    ("form", "key", "typed", "message"),
    [
        ("texts", "name", "", "請填寫姓名"),
        ("texts", "name", " \u200b ", "請填寫姓名"),
        ("texts", "name", "王", "姓名至少 2 個字，請寫得更完整"),
        ("texts", "name", "王" * 11, "姓名最多 10 個字，您輸入了 11 個字，請縮短"),
        ("texts", "name", "王\ud800明", "姓名第 2 個字無法辨識，請刪除後重新輸入"),
        ("texts", "name", {"name": ["王小明", "李大同"]}, "姓名只能有一個答案，請只保留一個"),
        ("texts", "chip", "12345", "晶片號碼須為 6 位數字，您輸入了「12345」，例如 123456"),
        ("texts", "chip", "12345六", "晶片號碼須為 6 位數字，您輸入了「12345六」，例如 123456"),
        ("texts", "permit", "A999", "許可號碼的格式不正確，您輸入了「A999」，例如 AB-123"),
        ("codes", "person", "A123456788", "身分證統一編號不正確，請檢查是否漏字，例如 A123456789"),
        ("codes", "person", "", "請填寫身分證統一編號，例如 A123456789"),
        ("codes", "company", "00000000", "統一編號不正確，請填 8 位數字並檢查是否漏字，例如 04595257"),
        ("codes", "phone", "1999", "電話不正確，請填含區號的市話或手機號碼，例如 0953-803-516"),
        ("codes", "email", "王小明", "電子郵件不正確，請檢查是否漏字，例如 name@example.com"),
        ("codes", "parcel", "十二", "地號不正確，請填母號，有子號再加「-」和子號，例如 123-1"),
        (
            "codes",
            "household",
            "12345678",
            "戶號不正確，請填戶口名簿上的戶號，1 個字母加 7 位數字，例如 W1234567",
        ),
        ("codes", "plate", "AB12", "車牌號碼不正確，請連同「-」填寫，例如 ABC-1235"),
        ("codes", "plate", "", "請填寫車牌號碼，例如 ABC-1235"),
        ("numbers", "people", "二十", "人數須為數字，您輸入了「二十」，例如 10"),
        ("numbers", "people", "1.5", "人數須為整數，您輸入了「1.5」，例如 10"),
        ("numbers", "people", "21", "人數須介於 1 人 至 20 人"),
        ("numbers", "depth", "0", "深度不能小於 0.1 公尺"),
        ("numbers", "depth", "1.234", "深度最多 2 位小數，您輸入了「1.234」，例如 10"),
        ("numbers", "change", "5.1", "變化不能大於 5"),
        ("numbers", "amount", "88000", "金額須介於 1 元 至 44,000 元"),
        ("numbers", "amount", "1,5", "金額須為數字，您輸入了「1,5」，例如 10"),
        ("numbers", "count", "9" * 20, "數量的數字太大，請檢查是否多打了數字"),
        ("numbers", "count", "1e5", "數量須為數字，您輸入了「1e5」，例如 10"),
        ("numbers", "count", "٢", "數量須為數字，您輸入了「٢」，例如 10"),
        ("choices", "species", "fish", "種類沒有「fish」這個選項，請從列出的選項中選擇"),
        ("choices", "species", "", "請選擇種類"),
        (
            "choices",
            "tools",
            {"tools": ["spade", "x" * 50]},
            f"工具沒有「{'x' * 20}…」這個選項，請從列出的選項中選擇",
        ),
        ("choices", "tools", {"tools": []}, "請至少選擇一項工具"),
        ("choices", "night", "maybe", "夜間施工沒有「maybe」這個選項，請從列出的選項中選擇"),
        ("choices", "night", "", "請選擇夜間施工：是或否"),
        ("choices", "consent", "no", "請閱讀後勾選「我同意」"),
        ("choices", "township", "other", "鄉鎮沒有「other」這個選項，請從列出的選項中選擇"),
        ("files", "proof", "", "請上傳證明"),
        ("files", "proof", {"proof": ["a", "b", "c"]}, "證明最多上傳 2 個檔案，目前有 3 個，請移除多的檔案"),
        ("files", "proof", "../etc/passwd", "證明的檔案沒有上傳成功，請重新上傳"),
    ],
)
def test_what_is_said_about_the_rest(
    form: str, key: str, typed: dict[str, object] | str, message: str
) -> None:
    assert complaint(form, key, typed) == message


@pytest.mark.parametrize(
    ("plate", "remark"),
    [
        ("ABC-1235", None),
        ("W1-2345", None),
        ("ABI-1235", "「ABI-1235」不是常見的車牌寫法，請再確認一次"),
        ("ABC-1234", "「ABC-1234」不是常見的車牌寫法，請再確認一次"),
    ],
)
def test_a_rare_plate_is_taken_with_a_remark(plate: str, remark: str | None) -> None:
    assert answer("codes", "plate", plate) == plate
    field = form_named("codes").field("plate")
    said = field.kind.remark(field, plate)
    assert (said and said.zh) == remark
    other = form_named("codes").field("household")
    assert other.kind.remark(other, "W1234567") is None


def test_messages_in_english() -> None:
    assert complaint("codes", "person", "A123456788", "en") == (
        "National ID is not correct. Check for missing characters, for example A123456789"
    )
    assert complaint("numbers", "depth", "0", "en") == "Depth cannot be less than 0.1 m"


# --- dates -----------------------------------------------------------------------------------------------


def boxes(key: str, year: str, month: str, day: str) -> dict[str, object]:
    return {f"{key}-year": year, f"{key}-month": month, f"{key}-day": day}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (boxes("birth", "47", "3", "9"), "1958-03-09"),
        (boxes("birth", "1958", "03", "09"), "1958-03-09"),
        (boxes("birth", "民國４７年", "３月", "９日"), "1958-03-09"),
        (boxes("birth", "113", "2", "29"), "2024-02-29"),
        (boxes("birth", "115", "11", "22"), "2026-11-22"),
        ({"birth": "47/3/9"}, "1958-03-09"),
        ({"birth": "民國四十七年三月九日"}, "1958-03-09"),
        ({"birth": "1958-03-09"}, "1958-03-09"),
        ({"birth-year": "47.3.9", "birth-month": "", "birth-day": " "}, "1958-03-09"),
    ],
)
def test_roc_and_gregorian_dates(typed: dict[str, object], expected: str) -> None:
    assert answer("dates", "birth", typed) == expected


AGAIN = "，請檢查後重新填寫，例如 民國 47 年 3 月 9 日"


@pytest.mark.parametrize(
    ("typed", "message", "part"),
    [
        ({}, "請填寫出生日期，例如 民國 47 年 3 月 9 日", ""),
        ({"birth-year": "47"}, f"出生日期缺少月、日{AGAIN}", "month"),
        (boxes("birth", "47", "", ""), f"出生日期缺少月、日{AGAIN}", "month"),
        (
            boxes("birth", "47", "2", "30"),
            f"出生日期不存在：民國 47 年 2 月只有 1 日到 28 日，沒有 30 日{AGAIN}",
            "day",
        ),
        (
            boxes("birth", "1958", "2", "29"),
            f"出生日期不存在：西元 1958 年 2 月只有 1 日到 28 日，沒有 29 日{AGAIN}",
            "day",
        ),
        (boxes("birth", "47", "13", "1"), f"出生日期的月份須為 1 到 12{AGAIN}", "month"),
        (boxes("birth", "0", "1", "1"), f"出生日期的年份不正確（民國沒有 0 年）{AGAIN}", "year"),
        (boxes("birth", "四七", "1", "1"), f"出生日期的年須為數字，您輸入了「四七」{AGAIN}", "year"),
        (
            boxes("birth", "115", "11", "23"),
            "出生日期不能晚於今天（民國115年11月22日），您填的是民國115年11月23日",
            "year",
        ),
        (
            boxes("birth", "1899", "1", "1"),
            "出生日期不能早於民國前12年1月1日，您填的是民國前13年1月1日",
            "year",
        ),
        ({"birth": "108/2/29"}, f"出生日期不是真實存在的日期（您輸入了「108/2/29」）{AGAIN}", ""),
    ],
)
def test_impossible_dates_are_named(typed: dict[str, object], message: str, part: str) -> None:
    assert complaint("dates", "birth", typed) == message
    field = fill("dates", typed).form["birth"]
    assert field.links == [(f"birth-{part or 'year'}", message)]
    wrong = {name for name, entry in field.inputs.items() if entry.wrong}
    assert wrong == ({part} if part else {"year", "month", "day", ""})


def test_a_date_not_before_another() -> None:
    assert fill("dates", {"start": "115/3/2", "end": "115/3/2"}).answers["end"] == "2026-03-02"
    cleaned = fill("dates", {"start": "115/3/2", "end": "115/3/1"})
    assert cleaned.errors["end"] == ["完工日期不能早於開工日期（民國115年3月2日），您填的是民國115年3月1日"]
    assert "end" not in cleaned.answers
    assert fill("dates", {"end": "115/3/1"}).answers["end"] == "2026-03-01"
    assert "end" not in fill("dates", {"start": "不明", "end": "115/3/1"}).errors


def moment(key: str, time: str, day: str = "30") -> dict[str, object]:
    return boxes(key, "115", "11", day) | {f"{key}-time": time}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (moment("start", "14:30"), "2026-11-30T14:30"),
        (moment("start", "１４：３０"), "2026-11-30T14:30"),
        (moment("start", "9:05"), "2026-11-30T09:05"),
        (moment("start", "1430"), "2026-11-30T14:30"),
        (moment("start", "14時30分"), "2026-11-30T14:30"),
        (moment("start", "14 點"), "2026-11-30T14:00"),
        (moment("start", "9"), "2026-11-30T09:00"),
        (moment("start", "下午 2 點半"), "2026-11-30T14:30"),
        (moment("start", "2:30 pm"), "2026-11-30T14:30"),
        (moment("start", "12:10 AM"), "2026-11-30T00:10"),
        (moment("start", "中午12點"), "2026-11-30T12:00"),
        (moment("start", "下午14:30"), "2026-11-30T14:30"),
        ({"start": "115/11/30 14:30"}, "2026-11-30T14:30"),
        ({"start": "2026-11-30T14:30"}, "2026-11-30T14:30"),
        ({"start-year": "民國115年11月30日 下午2:30"}, "2026-11-30T14:30"),
        ({"start-year": "115.11.30", "start-time": "14:30"}, "2026-11-30T14:30"),
        (boxes("start", "2026", "11", "30") | {"start-time": "14:30"}, "2026-11-30T14:30"),
    ],
)
def test_days_with_a_time(typed: dict[str, object], expected: str) -> None:
    assert answer("datetimes", "start", typed) == expected


TIME_AGAIN = "，請檢查後重新填寫，例如 民國 116 年 3 月 2 日 14:30"


@pytest.mark.parametrize(
    ("typed", "message", "part"),
    [
        ({}, "請填寫開始，例如 民國 116 年 3 月 2 日 14:30", "year"),
        ({"start-time": "14:30"}, f"開始缺少日期{TIME_AGAIN}", "year"),
        (moment("start", ""), f"開始缺少時間{TIME_AGAIN}", "time"),
        ({"start": "115/11/30"}, f"開始缺少時間{TIME_AGAIN}", "time"),
        (moment("start", "24:00"), f"開始的時間不正確，您輸入了「24:00」{TIME_AGAIN}", "time"),
        (moment("start", "下午"), f"開始的時間不正確，您輸入了「下午」{TIME_AGAIN}", "time"),
        (moment("start", "12:60"), f"開始的時間不正確，您輸入了「12:60」{TIME_AGAIN}", "time"),
        (
            moment("start", "14:30", "31"),
            f"開始不存在：民國 115 年 11 月只有 1 日到 30 日，沒有 31 日{TIME_AGAIN}",
            "day",
        ),
        (
            moment("start", "14:30", "21"),
            "開始不能早於今天（民國115年11月22日），您填的是民國115年11月21日",
            "year",
        ),
    ],
)
def test_times_that_are_none(typed: dict[str, object], message: str, part: str) -> None:
    assert complaint("datetimes", "start", typed) == message
    assert fill("datetimes", typed).form["start"].links == [(f"start-{part}", message)]


def test_a_moment_is_shown_and_compared_by_its_day() -> None:
    form = form_named("datetimes")
    begin, end, after = moment("start", "14:30"), moment("end", "14:29"), {"day": "115/11/30"}
    assert fill("datetimes", begin | end).errors["end"] == [
        "結束不能早於開始（民國115年11月30日 14:30），您填的是民國115年11月30日 14:29"
    ]
    taken = fill("datetimes", begin | moment("end", "14:31") | after)
    assert taken.errors == {}  # a day is not before a moment of the same day
    assert answers.facts(form, taken.answers)["answers.end"] == date(2026, 11, 30)
    assert answers.display(form.field("end"), "2026-11-30T14:31", "en") == "30 November 2026, 14:31"


def test_a_year_before_1000_comes_back_as_it_was() -> None:
    field = form_named("dates").field("start")
    assert fill("dates", field.kind.to_raw(field, "0999-01-02") and {"start": "西元999/1/2"}).answers == {
        "start": "0999-01-02"
    }
    assert field.kind.to_raw(field, "0999-01-02") == {"": ["西元999/1/2"]}


# --- addresses, accounts, routes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("township", "village", "detail", "expected", "shown"),
    [
        ("JC", "", "民生路６０號", {"township": "JC", "detail": "民生路60號"}, "金門縣金城鎮民生路60號"),
        (
            "LY",
            "西口村",
            "89445 金門縣烈嶼鄉西口村雙口12號",
            {"township": "LY", "village": "西口村", "detail": "雙口12號"},
            "金門縣烈嶼鄉西口村雙口12號",
        ),
        ("JN", "", "120號", {"township": "JN", "detail": "120號"}, "金門縣金寧鄉120號"),
        (
            "other",
            "不用填",
            "台北市信義區市府路1號",
            {"township": "other", "detail": "台北市信義區市府路1號"},
            "台北市信義區市府路1號",
        ),
    ],
)
def test_addresses(township: str, village: str, detail: str, expected: dict[str, str], shown: str) -> None:
    raw = {"home-township": township, "home-village": village, "home-detail": detail}
    assert answer("address", "home", raw) == expected
    field = form_named("address").field("home")
    assert field.kind.show(field, dict(expected), "zh") == shown


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, "請填寫通訊地址，例如 金城鎮民生路60號"),
        ({"home-township": "JC"}, "請填寫通訊地址的路名或聚落和門牌，例如 民生路60號、雙口12號"),
        ({"home-detail": "民生路60號"}, "請選擇通訊地址的鄉鎮，住在其他縣市請選「其他縣市」"),
        ({"home-township": "TP", "home-detail": "x"}, "通訊地址沒有「TP」這個選項，請從列出的選項中選擇"),
        (
            {"home-township": "other", "home-detail": "臺北市"},
            "請填寫完整的通訊地址，例如 臺北市信義區市府路1號",
        ),
    ],
)
def test_incomplete_addresses(raw: dict[str, object], message: str) -> None:
    assert complaint("address", "home", raw) == message


def test_an_english_address() -> None:
    field = form_named("address").field("home")
    shown = field.kind.show(field, {"township": "JC", "detail": "民生路60號"}, "en")
    assert shown == "民生路60號, Jincheng Township, Kinmen County"


def test_six_townships_with_their_codes() -> None:
    assert {code: str(name) for code, name in TOWNSHIPS.items()} == {
        "JC": "金城鎮",
        "JH": "金湖鎮",
        "JS": "金沙鎮",
        "JN": "金寧鄉",
        "LY": "烈嶼鄉",
        "WQ": "烏坵鄉",
    }


def test_bank_accounts() -> None:
    raw = {"bank-bank": "７００", "bank-account": "0012345-6789012", "bank-holder": " 王 小明 "}
    taken = {"bank": "700", "account": "00123456789012", "holder": "王 小明"}
    assert answer("bank_account", "bank", raw) == taken
    assert complaint("bank_account", "bank", {"bank-bank": "70", "bank-account": "12-34"}) == (
        "撥款帳戶的銀行須為 3 位數代碼（含分行為 7 位）或銀行名稱，兩者都寫時要相符，例如 004 或郵局 700；您輸入了「70」\n"
        "撥款帳戶的帳號須為 6 到 16 位數字，例如 012345678901；您輸入了「12-34」\n"
        "請填寫撥款帳戶的戶名，與存摺封面相同，例如 王小明"
    )


def test_routes() -> None:
    words = {"route-description": "民生路 60 號往東到復興路口"}
    assert answer("route", "route", words) == {"description": "民生路 60 號往東到復興路口"}
    line = words | {"route-line": "24.4321,118.3171；24.433 , 118.318\n"}
    assert answer("route", "route", line) == {
        "description": "民生路 60 號往東到復興路口",
        "line": "24.432100,118.317100; 24.433000,118.318000",
    }
    assert complaint("route", "route", words | {"route-line": "24.4,118.3"}) == (
        "挖掘路段的座標須有 2 到 200 個點，用分號隔開，目前有 1 個；不清楚可以空白"
    )
    assert complaint("route", "route", {"route-line": "24.4,118.3;24.5,118.3"}) == (
        "請填寫挖掘路段，例如 從民生路 60 號前往東到復興路口"
    )


def test_positions() -> None:
    words = {"place-description": "民生路 60 號前"}
    assert answer("position", "place", words) == {"description": "民生路 60 號前"}
    spot = {"place-point": "24.4321, 118.3171"}
    assert answer("position", "place", spot) == {"point": "24.432100,118.317100"}
    both = answer("position", "place", words | spot)
    assert both == {"description": "民生路 60 號前", "point": "24.432100,118.317100"}
    field = form_named("position").field("place")
    assert answers.display(field, both) == "民生路 60 號前\n座標：24.432100,118.317100"
    assert answers.sentence(field, both, "en") == "民生路 60 號前 Coordinates: 24.432100,118.317100"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({}, "請填寫位置，例如 民生路 60 號前的人行道"),
        ({"place-description": "路"}, "位置至少 3 個字，請寫得更完整"),
        (
            {"place-point": "民生路"},
            "位置的「民生路」不是座標，請寫「緯度,經度」，例如 24.432100,118.317100",
        ),
        (
            {"place-point": "118.3,24.4"},
            "位置的「118.3,24.4」不在金門縣內，請先寫緯度、再寫經度，例如 24.432100,118.317100",
        ),
        (
            {"place-point": "24.4798,118.0894"},
            "位置的「24.4798,118.0894」不在金門縣內，請先寫緯度、再寫經度，例如 24.432100,118.317100",
        ),
        ({"place-point": "24.4,118.3;24.5,118.3"}, "位置的座標只要一個點，目前有 2 個"),
        ({"place-point": "；"}, "位置的座標只要一個點，目前有 0 個"),
    ],
)
def test_positions_that_are_none(typed: dict[str, object], message: str) -> None:
    assert complaint("position", "place", typed) == message


# --- tables ----------------------------------------------------------------------------------------------


def test_in_a_sentence_an_answer_is_one_line() -> None:
    land = factory_form("farm_use_certificate").field("parcels")
    rows = [
        {"section": "斗門段", "land_no": "123-1", "area_m2": "850.5", "share": "全部"},
        {"section": "斗門段", "land_no": "124", "area_m2": "420", "share": "1/2"},
    ]
    first = "地段斗門段、地號123-1、面積850.5 平方公尺、權利範圍全部"
    assert answers.sentence(land, rows[:1]) == first
    assert (
        answers.sentence(land, rows)
        == f"（1）{first}；（2）地段斗門段、地號124、面積420 平方公尺、權利範圍1/2"
    )
    assert answers.sentence(land, rows[:1], "en").startswith("Land section 斗門段, Parcel number 123-1, ")
    road = factory_form("road_excavation").field("route")
    line = {"description": "民生路 60 號", "line": "24.4,118.3; 24.5,118.3"}
    assert answers.sentence(road, line) == "民生路 60 號（座標 2 點如申請書）"
    assert answers.sentence(road, {"description": "民生路 60 號"}) == "民生路 60 號"
    assert answers.sentence(road, None) == ""


def test_rows_of_a_table() -> None:
    raw = {
        "parcels-0-section": "",  # an empty row does not count
        "parcels-0-land_no": " ",
        "parcels-7-section": "后湖段",  # rows keep their order whatever their numbers
        "parcels-7-land_no": "１２３",
        "parcels-7-bought_on-year": "100",
        "parcels-7-bought_on-month": "1",
        "parcels-7-bought_on-day": "2",
        "parcels-7-nonsense": "x",
        "parcels-10-section": "前水頭段",
        "parcels-10-land_no": "4-5",
        "parcels-10-bought_on": "100/1/3",
        "parcels-x-section": "x",
        "parcels-²-section": "x",
        "parcels-": "x",
    }
    assert answer("table", "parcels", raw) == [
        {"section": "后湖段", "land_no": "0123-0000", "bought_on": "2011-01-02"},
        {"section": "前水頭段", "land_no": "0004-0005", "bought_on": "2011-01-03"},
    ]


def test_mistakes_in_a_table_name_row_and_cell() -> None:
    raw = {
        "parcels-0-section": "后湖段",
        "parcels-0-land_no": "1",
        "parcels-3-land_no": "十二",
        "parcels-3-bought_on-year": "100",
        "parcels-3-bought_on-month": "2",
        "parcels-3-bought_on-day": "30",
    }
    field = fill("table", raw).form["parcels"]
    assert field.links == [
        ("parcels-3-section", "第 2 列：請填寫地段"),
        ("parcels-3-land_no", "第 2 列：地號不正確，請填母號，有子號再加「-」和子號，例如 123-1"),
        (
            "parcels-3-bought_on-day",
            f"第 2 列：取得日期不存在：民國 100 年 2 月只有 1 日到 28 日，沒有 30 日{AGAIN}",
        ),
    ]
    first, second = field.rows
    assert [cell.errors for cell in first] == [[], [], [], []]
    section, land_no, bought_on, area = second
    assert (section.name, section.errors) == ("parcels-3-section", ["第 2 列：請填寫地段"])
    assert (land_no._value(), bought_on.inputs["day"].value, area.errors) == ("十二", "30", [])
    assert bought_on.inputs["day"].wrong and not bought_on.inputs["year"].wrong


@pytest.mark.parametrize(
    ("form_key", "rows", "message"),
    [
        ("parcels", 0, "請至少填寫一列土地"),
        ("parcels", 4, "土地須有 1 到 3 列，目前有 4 列"),
        ("sheds", 1, "農舍須有 2 到 4 列，目前有 1 列"),
    ],
)
def test_too_few_and_too_many_rows(form_key: str, rows: int, message: str) -> None:
    column = "section" if form_key == "parcels" else "name"
    raw = {f"{form_key}-{n}-{column}": "x" for n in range(rows)}
    assert fill("table", raw).errors[form_key] == [message]


def test_an_optional_table_may_stay_empty() -> None:
    assert answer("table", "sheds", {}) is None


# --- whose account it is ----------------------------------------------------------------------------------


def of_whom(holder: str, *, holder_of: Any, **names: str) -> list[str]:
    fields: list[dict[str, Any]] = [
        {"key": key, "type": "text", "label": key, "optional": True} for key in ("owner", "boss")
    ]
    bank = {"key": "bank", "type": "bank_account", "label": "撥款帳戶", "holder_of": holder_of}
    section = {"key": "page", "title": "頁", "fields": [bank, *fields]}
    tiny = loader.load({"key": "tiny", "title": "小表單", "sections": [section]})
    raw = {"bank-bank": "700", "bank-account": "00123456789012", "bank-holder": holder, **names}
    return answers.clean(tiny, {key: [text] for key, text in raw.items()}, today=date(2026, 3, 2)).errors.get(
        "bank", []
    )


@pytest.mark.parametrize(
    ("holder", "owner"),
    [
        ("陳美玲", "陳美玲"),
        ("陳 美 玲", "陳美玲"),
        ("LIN, MEI LING", "Lin Mei-ling"),
        ("拉告‧伊斯瑪哈單", "拉告．伊斯瑪哈單"),
        ("台灣農場", "臺灣農場"),
        ("誰都可以", ""),
    ],
)
def test_an_account_is_taken_of_its_owner_however_the_passbook_writes_it(holder: str, owner: str) -> None:
    assert of_whom(holder, holder_of="owner", owner=owner) == []


def test_an_account_of_somebody_else_is_refused_with_whose_it_has_to_be() -> None:
    both = ["owner", ["owner", "boss"]]
    assert of_whom("永昌商行王大明", holder_of=both, owner="永昌商行", boss="王大明") == []
    assert of_whom("王大明", holder_of="owner", owner="陳美玲") == [
        "撥款帳戶的戶名須為「陳美玲」，您填的是「王大明」。請改填這個戶名的帳戶；戶名打錯時請照存摺更正"
    ]
    [said] = of_whom("王大明", holder_of=both, owner="永昌商行", boss="王大明")
    assert "「永昌商行」或「永昌商行 王大明」" in said
    assert of_whom("隔壁老王", holder_of=["owner", "boss"], owner="陳美玲", boss="王大明") != []


@pytest.mark.parametrize("wrong", ["bank", "nobody", [], [[]], 3, [["owner", 3]]])
def test_whose_account_it_is_names_questions_for_a_name(wrong: object) -> None:
    with pytest.raises(DefinitionError):
        of_whom("王大明", holder_of=wrong)
