"""The map from a PDF's glyphs back to characters, so that what is copied is what was printed."""

from collections.abc import Sequence

from reportlab.pdfbase import ttfonts

_BLOCK = 100  # the most entries that one bfchar block may hold (PDF 32000-1, 9.10.3)


def cmap(font_name: str, subset: Sequence[int]) -> str:
    """The ToUnicode map of one font subset: glyph code n stands for the code point subset[n].

    ReportLab writes a character beyond the basic plane as five hexadecimal digits, where UTF-16BE is demanded,
    and readers then lose it; it also names the unused codes U+0000.
    """
    entries = [
        f"<{code:02X}> <{chr(point).encode('utf-16-be').hex().upper()}>"
        for code, point in enumerate(subset)
        if point
    ]
    blocks = [entries[i : i + _BLOCK] for i in range(0, len(entries), _BLOCK)]
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin",
            "12 dict begin",
            "begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            f"/CMapName /{font_name} def",
            "/CMapType 2 def",
            "1 begincodespacerange",
            f"<00> <{len(subset) - 1:02X}>",
            "endcodespacerange",
            *(line for block in blocks for line in (f"{len(block)} beginbfchar", *block, "endbfchar")),
            "endcmap",
            "CMapName currentdict /CMap defineresource pop",
            "end",
            "end",
        ]
    )


def install() -> None:
    """Have ReportLab write its maps with `cmap`."""
    ttfonts.makeToUnicodeCMap = cmap
