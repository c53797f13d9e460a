"""A copy of a letter that says on every page what became of it. The paper in the archive is not touched."""

from collections.abc import Sequence
from io import BytesIO

from pypdf import PdfReader, PdfWriter
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from webapp.letters import fonts
from webapp.letters.pdf import MissingGlyphs

#: what fits above the text of a letter
MOST_LINES = 2
_SIZE = 9.5
_RED = (0.75, 0.05, 0.05)


def stamped(pdf: bytes, lines: Sequence[str]) -> bytes:
    """The pages with a red frame in the upper margin; the last lines are kept where there are too many."""
    writer, out = PdfWriter(clone_from=PdfReader(BytesIO(pdf))), BytesIO()
    for page in writer.pages:
        width, height = float(page.mediabox.width), float(page.mediabox.height)
        page.merge_page(PdfReader(BytesIO(_frame(lines[-MOST_LINES:], width, height))).pages[0])
    writer.write(out)
    return out.getvalue()


def _frame(lines: Sequence[str], width: float, height: float) -> bytes:
    if missing := fonts.missing("".join(lines)):
        raise MissingGlyphs(missing)
    out, face = BytesIO(), fonts.FACES[0].name
    canvas = Canvas(out, pagesize=(width, height))
    canvas.setStrokeColorRGB(*_RED)
    canvas.setFillColorRGB(*_RED)
    canvas.setFont(face, _SIZE)
    leading = _SIZE * 1.35
    tall = leading * len(lines) + 1.5 * mm
    wide = max(canvas.stringWidth(line, face, _SIZE) for line in lines) + 5 * mm
    top = height - 3 * mm
    canvas.rect((width - wide) / 2, top - tall, wide, tall)
    for number, line in enumerate(lines):
        canvas.drawCentredString(width / 2, top - leading * (number + 1) + 0.6 * mm, line)
    canvas.save()
    return out.getvalue()
