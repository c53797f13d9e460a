"""The typefaces of every letter, and which characters they can draw.

A character is drawn by the first face that has it, so the rare characters of names print, and copy, like any other.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from reportlab.lib.fonts import addMapping
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from xhtml2pdf.default import DEFAULT_FONT

HERE = Path(__file__).parent / "fonts"


class Face(NamedTuple):
    """One family: a regular file and, where there is one, a bold."""

    name: str
    regular: Path
    bold: Path | None = None


FACES = (
    Face("NotoSansTC", HERE / "NotoSansTC-Regular.ttf", HERE / "NotoSansTC-Bold.ttf"),
    Face("DroidFallback", HERE / "DroidSansFallbackFull.ttf"),
    Face("TWSungNames", HERE / "TWSungExtB-Names.ttf"),
)

#: Debian's fonts-cns11643-sung: 67 MB, so it is read only on a server that has it and for a text that needs it.
WHOLE_SUNG = Face("TWSungExtB", Path("/usr/share/fonts/truetype/cns11643/TW-Sung-Ext-B-98_1.ttf"))

#: For a stylesheet: every face, first choice first.
FAMILIES = ", ".join(face.name for face in (*FACES, WHOLE_SUNG))

#: What has no shape but would print as a box, or turn the text around: controls, soft hyphens, zero-width marks,
#: bidirectional overrides, variation selectors, tags.
INVISIBLE = frozenset(
    code
    for first, last in [
        (0x00, 0x08), (0x0B, 0x0C), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x200B, 0x200F),
        (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0000, 0xE01EF),
    ]
    for code in range(first, last + 1)
)  # fmt: skip

_lock = Lock()


@cache
def _register(face: Face) -> frozenset[int]:
    """Make a face known to ReportLab and xhtml2pdf; the code points it draws."""
    pdfmetrics.registerFont(font := TTFont(face.name, str(face.regular)))
    bold = face.name
    if face.bold:
        bold = f"{face.name}-Bold"
        pdfmetrics.registerFont(TTFont(bold, str(face.bold)))
    for italic in (0, 1):
        addMapping(face.name, 0, italic, face.name)
        addMapping(face.name, 1, italic, bold)
    DEFAULT_FONT[face.name.lower()] = face.name
    return frozenset(font.face.charToGlyph)


def missing(text: Iterable[str]) -> tuple[str, ...]:
    """The visible characters of a text that no face can draw, each once. The faces are ready to draw all others."""
    with _lock:
        wanted = {ord(character) for character in set(text) if not character.isspace()} - INVISIBLE
        for face in FACES:
            wanted = wanted - _register(face)
        if wanted and WHOLE_SUNG.regular.exists():
            wanted = wanted - _register(WHOLE_SUNG)
    return tuple(chr(code) for code in sorted(wanted))


def face_of(character: str) -> Face:
    """The face that draws a character; the first where none does."""
    with _lock:
        return next((face for face in FACES if ord(character) in _register(face)), FACES[0])


def code_point(character: str) -> str:
    """A character as a clerk can look it up: U+1F60A, with the character itself where it can be shown."""
    code = f"U+{ord(character):04X}"
    return f"{character} ({code})" if character.isprintable() else code
