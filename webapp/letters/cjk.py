"""Where a line of Chinese may end, and how it is filled.

xhtml2pdf breaks Chinese between any two characters: punctuation hangs in the margin, numbers are cut in two, and a
paragraph that crosses a page can fail to fit in either. `install` puts this module's lines in their place. They obey
kinsoku (JLREQ 3.1.7, CLREQ 6.1): closing marks begin no line, opening marks end none, a Latin word or a number
stays whole while it fits a line at all.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from xhtml2pdf import reportlab_paragraph as rp

CANNOT_START = frozenset(
    "!%),.:;?]}¢°·ˇˉ―‖’”…‰′″›℃∶、。〃〉》」』】〕〗〞﹐﹑﹒﹔﹕﹖﹗﹚﹜﹞！％），．：；？］｝｠～‧—─ー々"
)
CANNOT_END = frozenset("□■$([{£¥‘“〈《「『【〔〖〝﹙﹛﹝＄（［｛｟￥")
_WORD = re.compile(r"[A-Za-zÀ-ɏ0-9@#&%+\-_./:,=~?\xa0]")  # a no-break space joins as letters do
_IMAGE = "\ufffc"
_SLACK = 1e-6  # points; sums of widths are not exact
_STRETCH = 0.12  # of the type size: the most that filling a line may add between two characters


class Unit(NamedTuple):
    """What is never divided: one character, one image (U+FFFC) or an invisible mark (empty)."""

    text: str
    width: float
    ends_line: bool = False
    frag: Any = None


class Line(NamedTuple):
    """Units start to end, and the width of what is visible of them."""

    start: int
    end: int
    width: float


def may_cut(before: str, after: str) -> bool:
    """Whether a line may end between two characters, if need be inside a word."""
    return not (after == " " or after in CANNOT_START or before in CANNOT_END or unicodedata.combining(after))


def may_break(before: str, after: str) -> bool:
    """Whether a line may end between two characters without cutting a word."""
    return may_cut(before, after) and not (_WORD.match(before) and _WORD.match(after))


def break_lines(units: Sequence[Unit], widths: Sequence[float]) -> Iterator[Line]:
    """Fill lines of the given widths one after the other; the last width serves for all further lines."""
    start = number = 0
    while start < len(units):
        room = widths[min(number, len(widths) - 1)] + _SLACK
        end = _end_of_line(units, start, room)
        visible = end
        while visible > start + 1 and units[visible - 1].text == " ":
            visible -= 1
        yield Line(start, end, sum(unit.width for unit in units[start:visible]))
        start, number = end, number + 1


def _end_of_line(units: Sequence[Unit], start: int, room: float) -> int:
    used = 0.0
    for i in range(start, len(units)):
        unit = units[i]
        if unit.ends_line:
            return i + 1
        used += unit.width
        if used > room and i > start and unit.text != " ":  # spaces at the end of a line take no room
            return _retreat(units, start, i, room)
    return len(units)


def _retreat(units: Sequence[Unit], start: int, full: int, room: float) -> int:
    """The last place up to `full` where the line may end; a word that fits no line is cut where this one is full."""
    end = _last(units, start, full, may_break)
    if end > start and _fits(units, end, full, room):
        return end
    cut = _last(units, start, full, may_cut)
    return cut if cut > start else full


def _last(units: Sequence[Unit], start: int, full: int, allowed: Callable[[str, str], bool]) -> int:
    return next((i for i in range(full, start, -1) if _allowed_at(units, i, allowed)), start)


def _fits(units: Sequence[Unit], word: int, full: int, room: float) -> bool:
    """Whether the word that begins at `word` and reaches over `full` fits a line of its own."""
    width = 0.0
    for i in range(word, len(units)):
        if i > full and _allowed_at(units, i, may_break):
            break
        width += units[i].width
        if width > room:
            return False
    return True


def _allowed_at(units: Sequence[Unit], i: int, allowed: Callable[[str, str], bool]) -> bool:
    """Invisible marks, the edges of inline boxes, belong to the character inside the box: look past them."""
    if units[i].ends_line:
        return False
    left = next((units[k].text for k in range(i - 1, -1, -1) if units[k].text), "")
    right = next((units[k].text for k in range(i, len(units)) if units[k].text), "")
    return not (left and right) or allowed(left, right)


# --- inside xhtml2pdf ------------------------------------------------------------------------------------


_width = lru_cache(maxsize=1 << 15)(rp.stringWidth)  # of a character; a paragraph is measured many times over


def _units(frags: Sequence[Any], encoding: str) -> Iterator[Unit]:
    for frag in frags:
        ends_line = hasattr(frag, "lineBreak")
        # a page number is an object whose text is known only now
        text = frag.text.decode(encoding) if isinstance(frag.text, bytes) else str(frag.text)
        for character in text:
            yield Unit(character, _width(character, frag.fontName, frag.fontSize), ends_line, frag)
        if not text:
            width = getattr(getattr(frag, "cbDefn", None), "width", 0)
            yield Unit(_IMAGE if width else "", width, ends_line, frag)


def _break_paragraph(self: Any, width: Any) -> Any:
    """Paragraph.breakLinesCJK."""
    if getattr(self, "_splitpara", 0) and hasattr(self, "blPara"):
        return self.blPara  # the upper part of a paragraph cut at a page's end: its lines are settled
    widths = list(width) if isinstance(width, (list, tuple)) else [width]
    rp._handleBulletWidth(self.bulletText, self.style, widths, rtl=self.dir == "rtl")
    self.height = 0
    units = list(_units(self.frags, self.encoding))
    lines = []
    for number, (start, end, used) in enumerate(break_lines(units, widths)):
        spare = widths[min(number, len(widths) - 1)] - used
        lines.append(_line(units[start:end], spare))
    return rp.ParaLines(kind=1, lines=lines)


def _line(units: Sequence[Unit], spare: float) -> Any:
    """A line as Paragraph draws it: runs of one style, and the room that its tallest type and pictures need."""
    words, sizes, ascents, descents = [], [0], [0], [0]
    for _, run in groupby(units, key=lambda unit: id(unit.frag)):
        first, *others = run
        frag = first.frag
        words.append(frag.clone())
        words[-1].text = "" if first.text == _IMAGE else first.text + "".join(unit.text for unit in others)
        if first.text == _IMAGE:
            descent, ascent = rp.imgVRange(frag.cbDefn.height, frag.cbDefn.valign, frag.fontSize)
        else:
            ascent, descent = rp.getAscentDescent(frag.fontName, frag.fontSize)
        sizes.append(frag.fontSize)
        ascents.append(ascent)
        descents.append(descent)
    return rp.FragLine(
        kind=1,
        words=words,
        wordCount=1,
        extraSpace=spare,
        fontSize=max(sizes),
        ascent=max(ascents),
        descent=min(descents),
        gaps=_gaps(units),
    )


def _gaps(units: Sequence[Unit]) -> int:
    """Between how many characters a line can be stretched: none where it ends by order or holds more than text."""
    if any(unit.ends_line or unit.text in ("", _IMAGE) for unit in units):
        return 0
    return len("".join(unit.text for unit in units).rstrip(" ")) - 1


_split_latin = rp._split_blParaHard


def _split_paragraph(paragraph: Any, start: int, stop: int) -> list[Any]:
    """The fragments of some lines, without the space that belongs between two lines of Latin text."""
    lines = paragraph.lines[start:stop]
    if not all(hasattr(line, "gaps") for line in lines):
        return _split_latin(paragraph, start, stop)
    return [word for line in lines for word in line.words]


_justify_latin = rp._justifyDrawParaLineX


def _justify(text: Any, offset: float, line: Any, last: int = 0) -> None:
    """Fill a line by the same little space between all its characters."""
    gaps = getattr(line, "gaps", None)
    if gaps is None:
        return _justify_latin(text, offset, line, last)
    space = line.extraSpace / gaps if gaps > 0 else 0
    if last or not 0 < space <= line.fontSize * _STRETCH:
        return rp._leftDrawParaLineX(text, offset, line, last)
    text.setCharSpace(space)
    rp._leftDrawParaLineX(text, offset, line, last)
    text.setCharSpace(0)


def install() -> None:
    """Have xhtml2pdf break, cut and fill paragraphs under -pdf-word-wrap:CJK by this module."""
    rp.Paragraph.breakLinesCJK = _break_paragraph
    rp._split_blParaHard = _split_paragraph
    rp._justifyDrawParaLineX = _justify
