"""What a request brings in its form and its address, without what no page and no database can carry (NUL)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict, iter_multi_items

from forms.messages import printable


class Carried(ImmutableMultiDict[str, Any]):
    """Names and values as they were typed; files stay what they are."""

    def __init__(self, sent: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        pairs = iter_multi_items(sent) if sent is not None else ()  # type: ignore[arg-type]
        super().__init__([(printable(name), _carried(value)) for name, value in pairs])


def _carried(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value


class Incoming(Request):
    parameter_storage_class = Carried
