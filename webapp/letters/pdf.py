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

#: An ideographic space would collapse; so would a line end that only Unicode knows.
_TIDY = dict.fromkeys(fonts.INVISIBLE) | {0x3000: "\xa0" * 4, 0x2028: "\n", 0x2029: "\n"}

_lock = Lock()


class _Complaints(logging.Filter):
    """Keeps the place in xhtml2pdf where a warning arose and drops the words: they quote names and addresses."""

    places: tuple[str, ...] = ()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING:
            self.places += (f"{record.name}:{record.lineno}",)
        return False


_complaints = _Complaints()
logging.getLogger("xhtml2pdf").propagate = False
for _name in list(logging.root.manager.loggerDict):
    if _name.partition(".")[0] == "xhtml2pdf":
        logging.getLogger(_name).addFilter(_complaints)


def _only_pictures_made_here(uri: str, _relative: object) -> str:
    if not uri.startswith("data:image/png;base64,"):
        raise PdfError("文件引用了外部資源")
    return uri


def render(html: str) -> bytes:
    """The PDF of a whole HTML document. Any complaint of the renderer is an error: no letter leaves with a hole."""
    source = html.translate(_TIDY)
    if missing := fonts.missing(markup.unescape(source)):
        raise MissingGlyphs(missing)
    out = BytesIO()
    with _lock:
        _complaints.places = ()
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
        if result.err or result.warn or _complaints.places:
            raise PdfError("文件不完整：" + "、".join(_complaints.places or ["xhtml2pdf"]))
    return out.getvalue()


def _place(error: BaseException) -> str:
    """File and line where an error arose; its message may quote the document."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
