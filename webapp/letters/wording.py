"""How a letter writes numbers, dates and money, and the Jinja environment that knows it."""

import re
from base64 import b64encode
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rules.values import format_roc_date
from webapp.letters import fonts

TAIPEI = ZoneInfo("Asia/Taipei")

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")


def numeral(number: int) -> str:
    """A point's number: 一, 十, 十一, 二十, 一百零五; up to 9999."""
    if not 0 < number < 10_000:
        raise ValueError(f"no point has the number {number}")
    written, gap = "", False
    for place in range(len(str(number)) - 1, -1, -1):
        digit = number // 10**place % 10
        if digit:
            written += ("零" if gap and written else "") + _DIGITS[digit] + _PLACES[place]
        gap = not digit
    return written.removeprefix("一") if written.startswith("一十") else written


def local(moment: datetime) -> datetime:
    """A moment as clocks in Taiwan show it; one without a zone is taken to be so already."""
    return moment.astimezone(TAIPEI) if moment.tzinfo else moment


def full_date(day: date) -> str:
    """中華民國115年11月22日."""
    return f"中華{format_roc_date(local(day).date() if isinstance(day, datetime) else day)}"


def full_time(moment: datetime) -> str:
    """中華民國115年11月22日 14時05分."""
    return f"{full_date(moment)} {local(moment):%H時%M分}"


def short_date(moment: datetime) -> str:
    """115.11.22, as on a date stamp."""
    return format_roc_date(local(moment).date(), "short")


def dollars(amount: str) -> str:
    """新臺幣 1,500 元; words (免費, 另行通知) stay as they are."""
    return f"新臺幣 {whole_dollars(amount):,} 元" if whole_dollars(amount) is not None else amount


def whole_dollars(amount: str) -> int | None:
    """The number of an amount such as 1500 or 1500.00; None for words."""
    return int(amount.partition(".")[0]) if re.fullmatch(r"[0-9]+(\.0+)?", amount) else None


def grouped(code: str) -> str:
    """A code to read aloud: groups of four."""
    return " ".join(code[i : i + 4] for i in range(0, len(code), 4)) if code.isalnum() else code


def spaced(words: str, *beside: str) -> str:
    """A title of few characters is set wide; of several on one line, all or none."""
    return "\xa0".join(words) if max(map(len, (words, *beside))) <= 8 else words


def picture(png: bytes) -> str:
    """A picture as part of the document itself: letters read no files."""
    return "data:image/png;base64," + b64encode(png).decode()


def environment() -> Environment:
    """The templates of this package; whatever is put in is text, never markup."""
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "numeral": numeral,
        "full_date": full_date,
        "full_time": full_time,
        "short_date": short_date,
        "dollars": dollars,
        "grouped": grouped,
        "spaced": spaced,
        "picture": picture,
    }
    env.globals["font_families"] = fonts.FAMILIES
    return env
