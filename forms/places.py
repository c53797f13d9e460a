"""Places of Kinmen County: its six townships (烏坵 is run separately), and points on its map."""

import re
from decimal import Decimal

from forms.field_type import folded
from forms.messages import quoted, refuse
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

#: the county with 烏坵 and the sea between: south, north, west, east
BOUNDS = tuple(map(Decimal, ("24.0", "25.2", "117.8", "119.8")))
_POINT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,12})?),([0-9]{1,3}(?:\.[0-9]{1,12})?)")
_EXAMPLE = "24.432100,118.317100"


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
    south, north, west, east = BOUNDS
    if not (south <= latitude <= north and west <= longitude <= east):
        raise refuse(
            label,
            "{label}的「{text}」不在金門縣內，請先寫緯度、再寫經度，例如 {example}",
            "{label}: “{text}” is not in Kinmen. Write latitude, then longitude, for example {example}",
            part=part,
            text=quoted(text.strip()),
            example=_EXAMPLE,
        )
    return f"{latitude:.6f},{longitude:.6f}"
