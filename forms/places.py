"""Places: the townships and villages of Kinmen County (烏坵 is run separately), the counties, points on the map."""

import re
from decimal import Decimal
from typing import TypeAlias

from forms.field_type import folded
from forms.messages import quoted, refuse, words
from rules.values import Text

TOWNSHIPS: dict[str, Text] = {
    "JC": Text(zh="金城鎮", en="Jincheng Township"),
    "JH": Text(zh="金湖鎮", en="Jinhu Township"),
    "JS": Text(zh="金沙鎮", en="Jinsha Township"),
    "JN": Text(zh="金寧鄉", en="Jinning Township"),
    "LY": Text(zh="烈嶼鄉", en="Lieyu Township"),
    "WQ": Text(zh="烏坵鄉", en="Wuqiu Township"),
}
ELSEWHERE = "other"
ELSEWHERE_LABEL = Text(zh="其他縣市", en="Elsewhere in Taiwan")
ADDRESS_PLACES: dict[str, Text] = {**TOWNSHIPS, ELSEWHERE: ELSEWHERE_LABEL}

#: 三碼郵遞區號 of 金門縣 (中華郵政, 3 碼郵遞區號與行政區對照)
POSTAL_CODES = {"JS": "890", "JH": "891", "JN": "892", "JC": "893", "LY": "894", "WQ": "896"}

#: village heads elected in 2022 (中央選舉委員會, 111 年村里長選舉), in the order of the returns; the English by
#: Hanyu Pinyin (中文譯音使用原則), 村 and 里 alike a village
_VILLAGES = {
    "JC": "東門里 Dongmen|南門里 Nanmen|西門里 Ximen|北門里 Beimen|賢庵里 Xian'an|金水里 Jinshui|古城里 Gucheng|珠沙里 Zhusha",
    "JH": "新市里 Xinshi|山外里 Shanwai|溪湖里 Xihu|蓮庵里 Lian'an|料羅里 Liaoluo|新湖里 Xinhu|正義里 Zhengyi|瓊林里 Qionglin",
    "JS": "汶沙里 Wensha|何斗里 Hedou|浦山里 Pushan|西園里 Xiyuan|官嶼里 Guanyu|三山里 Sanshan|大洋里 Dayang|光前里 Guangqian",
    "JN": "古寧村 Guning|安美村 Anmei|湖埔村 Hupu|榜林村 Banglin|盤山村 Panshan|后盤村 Houpan",
    "LY": "林湖村 Linhu|黃埔村 Huangpu|西口村 Xikou|上林村 Shanglin|上岐村 Shangqi",
    "WQ": "大坵村 Daqiu|小坵村 Xiaoqiu",
}
#: by township and code
VILLAGES: dict[str, dict[str, Text]] = {
    town: {
        f"{town}{n:02}": Text(zh=zh, en=f"{en} Village")
        for n, (zh, en) in enumerate((name.split() for name in names.split("|")), start=1)
    }
    for town, names in _VILLAGES.items()
}


def with_postal_code(address: str) -> str:
    """An address of the county as an envelope shows it; another one, or one with its code, stays as it is."""
    for town, name in TOWNSHIPS.items():
        if address.startswith((f"金門縣{name.zh}", name.zh)):
            return f"{POSTAL_CODES[town]}{address}"
    return address


def village_names(*towns: str) -> dict[str, Text]:
    """The villages of some townships with the township before them, by code."""
    return {
        code: words("{town}{name}", "{name}, {town}", town=TOWNSHIPS[town], name=name)
        for town in towns
        for code, name in VILLAGES[town].items()
    }


#: 直轄市、縣市 by the code of 主計總處
COUNTIES: dict[str, Text] = {
    code: Text(zh=zh, en=en)
    for code, zh, en in (
        ("09020", "金門縣", "Kinmen County"),
        ("09007", "連江縣", "Lienchiang County"),
        ("63000", "臺北市", "Taipei City"),
        ("65000", "新北市", "New Taipei City"),
        ("68000", "桃園市", "Taoyuan City"),
        ("66000", "臺中市", "Taichung City"),
        ("67000", "臺南市", "Tainan City"),
        ("64000", "高雄市", "Kaohsiung City"),
        ("10017", "基隆市", "Keelung City"),
        ("10018", "新竹市", "Hsinchu City"),
        ("10020", "嘉義市", "Chiayi City"),
        ("10004", "新竹縣", "Hsinchu County"),
        ("10005", "苗栗縣", "Miaoli County"),
        ("10007", "彰化縣", "Changhua County"),
        ("10008", "南投縣", "Nantou County"),
        ("10009", "雲林縣", "Yunlin County"),
        ("10010", "嘉義縣", "Chiayi County"),
        ("10013", "屏東縣", "Pingtung County"),
        ("10002", "宜蘭縣", "Yilan County"),
        ("10015", "花蓮縣", "Hualien County"),
        ("10014", "臺東縣", "Taitung County"),
        ("10016", "澎湖縣", "Penghu County"),
    )
}
#: lists that are the same for every service
STANDARD_LISTS: dict[str, dict[str, Text]] = {
    "townships": TOWNSHIPS,
    "villages": village_names(*TOWNSHIPS),
    "counties": COUNTIES,
}

#: the islands and the sea around them: south, north, west, east. 廈門 and 大嶝 lie beside them, not in them
AREAS: tuple[tuple[float, float, float, float], ...] = (
    (24.25, 24.545, 118.205, 118.6),  # 金門本島、烈嶼
    (24.33, 24.41, 118.12, 118.21),  # 大膽、二膽
    (24.1, 24.25, 118.15, 118.6),  # 東碇
    (24.92, 25.06, 119.37, 119.56),  # 烏坵
)
_POINT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,12})?),([0-9]{1,3}(?:\.[0-9]{1,12})?)")
#: latitude and longitude of WGS84
Point: TypeAlias = tuple[float, float]
_EXAMPLE = "24.432100,118.317100"


def in_the_county(latitude: float, longitude: float) -> bool:
    return any(s <= latitude <= n and w <= longitude <= e for s, n, w, e in AREAS)


def points_in(text: str) -> tuple[Point, ...]:
    """Stored points as degrees: latitude, longitude."""
    pairs = (piece.split(",") for piece in text.split(";") if piece.strip())
    return tuple((float(latitude), float(longitude)) for latitude, longitude in pairs)


def read_points(label: Text, text: str, part: str = "") -> list[str]:
    """Points `lat,lon` separated by semicolons or lines, each written with six decimals."""
    return [_read_point(label, piece, part) for piece in re.split(r"[;；\n]", text) if piece.strip()]


def _read_point(label: Text, text: str, part: str) -> str:
    found = _POINT.fullmatch(folded(text))
    if found is None:
        raise refuse(
            label,
            "{label}的「{text}」不是座標，請寫「緯度,經度」，例如 {example}",
            "{label}: “{text}” is not a point. Write latitude,longitude, for example {example}",
            part=part,
            text=quoted(text.strip()),
            example=_EXAMPLE,
        )
    latitude, longitude = Decimal(found[1]), Decimal(found[2])
    if not in_the_county(float(latitude), float(longitude)):
        raise refuse(
            label,
            "{label}的「{text}」不在金門縣內，請先寫緯度、再寫經度，例如 {example}",
            "{label}: “{text}” is not in Kinmen. Write latitude, then longitude, for example {example}",
            part=part,
            text=quoted(text.strip()),
            example=_EXAMPLE,
        )
    return f"{latitude:.6f},{longitude:.6f}"
