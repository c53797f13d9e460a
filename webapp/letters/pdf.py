"""HTML to PDF. The only module that calls xhtml2pdf.

Slow (a third of a second of pure Python) and one at a time in a process: call it from a worker, never in a request.
"""

import html as markup
import logging
from io import BytesIO
from pathlib import Path
from threading import Lock

from xhtml2pdf import pisa
from xhtml2pdf.config.resources import ResourceAccessPolicy

from webapp.letters import cjk, fonts, tounicode

cjk.install()
tounicode.install()


class PdfError(Exception):
    """The document could not be made. The message never quotes the document."""


class MissingGlyphs(PdfError):
    """Characters that no typeface can draw: better no letter than one with boxes in a name."""

    def __init__(self, characters: tuple[str, ...]) -> None:
        self.characters = characters
        super().__init__("沒有字型可以列印下列字元：" + "、".join(map(fonts.code_point, characters)))


#: A letter reads no file and no address: its pictures are made here and stand in it as data.
_POLICY = ResourceAccessPolicy.server(None, allow_remote=False)

#: What has no shape but would print as a box, or hide the direction of the text: controls, zero-width marks,
#: bidirectional overrides, variation selectors. An ideographic space would collapse.
_INVISIBLE = dict.fromkeys(
    code
    for start, end in [
        (0x00, 0x09), (0x0B, 0x0D), (0x0E, 0x20), (0x7F, 0xA0), (0xAD, 0xAE), (0x200B, 0x2010), (0x202A, 0x202F),
        (0x2060, 0x2070), (0xFE00, 0xFE10), (0xFEFF, 0xFF00), (0xE0000, 0xE01F0),
    ]
    for code in range(start, end)
)  # fmt: skip
_TIDY = _INVISIBLE | {0x3000: "\xa0\xa0\xa0\xa0", 0x2028: "\n", 0x2029: "\n"}

_log = logging.getLogger("xhtml2pdf")
_log.propagate = False  # its messages quote the source, with names and addresses

_lock = Lock()


class _Complaints(logging.Handler):
    """Where xhtml2pdf warned: the place in its code, not the words."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.places: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.places.append(f"{record.name}:{record.lineno}")


def _only_pictures_made_here(uri: str, _relative: object) -> str:
    if not uri.startswith("data:image/png;base64,"):
        raise PdfError("文件引用了外部資源")
    return uri


def render(html: str) -> bytes:
    """The PDF of a whole HTML document. Any complaint of the renderer is an error: no letter leaves with a hole."""
    source = html.translate(_TIDY)
    if missing := fonts.missing(markup.unescape(source)):
        raise MissingGlyphs(missing)
    out, complaints = BytesIO(), _Complaints()
    with _lock:
        _log.addHandler(complaints)
        try:
            result = pisa.CreatePDF(
                source,
                dest=out,
                encoding="utf-8",
                link_callback=_only_pictures_made_here,
                resource_policy=_POLICY,
            )
        except PdfError:
            raise
        except Exception as error:  # noqa: BLE001 - any failure of the renderer; its words quote the document
            raise PdfError(f"文件無法產生：{type(error).__name__}，{_place(error)}") from None
        finally:
            _log.removeHandler(complaints)
    if result.err or result.warn or complaints.places:
        raise PdfError("文件不完整：" + "、".join(complaints.places or ["xhtml2pdf"]))
    return out.getvalue()


def _place(error: BaseException) -> str:
    """File and line where an error arose; its message may quote the document."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
