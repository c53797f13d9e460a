"""Every refusal becomes a page in the user's words, once, here."""

from __future__ import annotations

import logging
from contextlib import suppress

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from rules.values import Text
from webapp.errors import Conflict, DomainError
from webapp.extensions import db
from webapp.presentation import in_language
from workflows.engine import WorkflowError

log = logging.getLogger(__name__)

#: what is sent beyond this is not listened to
MOST_UNREAD = 256 * 1024 * 1024


def init_app(app: Flask) -> None:
    app.register_error_handler(DomainError, refused)
    app.register_error_handler(WorkflowError, lambda e: _page(422, e.text))
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(CSRFError, page_expired)
    app.register_error_handler(RequestEntityTooLarge, _too_large)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(DataError, _unusable)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(500, _crash)


def refused(error: DomainError) -> Response:
    return _page(error.status, error.text)


def _stale(error: StaleDataError) -> Response:
    db.session.rollback()
    text = Text(
        zh="剛剛有人同時修改了同一筆資料，您的這次操作沒有送出。請回上一頁重新載入後再試。",
        en="Somebody changed the same record at the same moment. Nothing was sent; go back, reload and try again.",
    )
    return _page(Conflict.status, text)


def page_expired(error: CSRFError) -> Response:
    text = Text(
        zh="頁面已逾時或登入狀態已改變，這次操作沒有送出。您先前儲存的草稿仍在；請回上一頁重新載入後再送出。",
        en="The page has expired or your sign-in changed; nothing was sent. Drafts are kept: go back and reload.",
    )
    return _page(400, text)


def _too_large(error: RequestEntityTooLarge) -> Response:
    _read_to_the_end()
    text = Text(
        zh="送出的內容太大（單檔上限 10 MB、一次最多 60 MB）。先前已儲存的內容都還在，請減少後再試。",
        en="What you sent is too large (10 MB a file, 60 MB at once). What was saved before is kept; send less.",
    )
    return _page(413, text)


def _read_to_the_end() -> None:
    """A browser reads no answer before it has sent everything: cut off, it would show an error of its own."""
    left, stream = MOST_UNREAD, request.environ["wsgi.input"]
    with suppress(OSError):  # whoever went away wants no answer
        while left > 0 and (piece := stream.read(min(left, 1024 * 1024))):
            left -= len(piece)


def _database(error: OperationalError) -> Response:
    log.error("database unavailable: %s", type(error.orig).__name__)
    text = Text(zh="系統暫時忙碌，請稍後再試。", en="The service is busy for a moment. Please try again.")
    return _page(503, text)


def _unusable(error: DataError) -> Response:
    """A NUL in an address, a number of a hundred digits: nobody types that, and the database cannot hold it."""
    db.session.rollback()
    text = Text(
        zh="網址或送出的內容有系統無法處理的字元或數字，這次操作沒有送出。請回上一頁檢查後再試。",
        en="The address or what you sent has characters or numbers that cannot be handled. Nothing was sent.",
    )
    return _page(400, text)


def _http(error: HTTPException) -> Response:
    if error.code is not None and 300 <= error.code < 400:
        return make_response(error.get_response())
    known = {
        403: Text(zh="您沒有這個頁面的權限。", en="You may not open this page."),
        404: Text(zh="找不到這個頁面或案件。", en="This page or case was not found."),
        405: Text(zh="這個網址不能這樣使用。", en="This address cannot be used this way."),
    }
    code = error.code or 500
    return _page(code, known.get(code, Text(zh="無法處理這個請求。", en="This request cannot be handled.")))


def _crash(error: Exception) -> Response:
    db.session.rollback()
    text = Text(
        zh="系統發生錯誤，我們已收到紀錄。您先前儲存的內容不會遺失，請稍後再試。",
        en="Something went wrong on our side and was recorded. What you saved is kept; please try again later.",
    )
    return _page(500, text)


def _page(status: int, text: Text) -> Response:
    message = in_language(text)
    if request.accept_mimetypes.best == "application/json" or request.is_json:
        return make_response(jsonify(error=message), status)
    titles = {404: _("找不到頁面"), 403: _("沒有權限"), 409: _("已有人先處理"), 413: _("內容太大")}
    body = render_template(
        "error.html", title=titles.get(status, _("無法完成")), message=message, status=status
    )
    return make_response(body, status)
