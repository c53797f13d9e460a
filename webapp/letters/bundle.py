"""Several PDFs as one, with a bookmark for each."""

from collections.abc import Iterable
from io import BytesIO

from pypdf import PdfWriter


def bundle(parts: Iterable[tuple[str, bytes]]) -> bytes:
    """The parts one after the other; each begins a page of its own."""
    writer, out = PdfWriter(), BytesIO()
    for title, pdf in parts:
        writer.append(BytesIO(pdf), outline_item=title, import_outline=False)
    writer.write(out)
    return out.getvalue()
