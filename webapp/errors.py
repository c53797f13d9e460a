"""What can go wrong, in the user's words. Views let these rise; the pages are made here, once."""

from __future__ import annotations

from rules.values import Text


class DomainError(Exception):
    """A refusal that the user can understand. Carries its text and the HTTP status."""

    status = 400

    def __init__(self, text: Text) -> None:
        super().__init__(text.zh)
        self.text = text


class NotFound(DomainError):
    status = 404

    def __init__(self, text: Text | None = None) -> None:
        super().__init__(text or Text(zh="找不到這個頁面或案件。", en="This page or case was not found."))


class NotInForce(NotFound):
    """A ruleset was published, and its last day is over or its first is to come."""


class Forbidden(DomainError):
    status = 403


class Conflict(DomainError):
    """Somebody else was faster, or the page is out of date."""

    status = 409


class Refused(DomainError):
    """The action is understood and not possible now."""

    status = 422


class Misfit(Refused):
    """One field of a form says what cannot be; the page shows the text there."""

    #: what other fields of the same form say
    others: tuple[Misfit, ...] = ()

    def __init__(self, field: str, text: Text) -> None:
        super().__init__(text)
        self.field = field


class TooMany(DomainError):
    status = 429


class AnswersInvalid(DomainError):
    """Answers that a form refuses. `errors` maps field key to messages in the language asked for."""

    status = 422

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(Text(zh="有欄位需要修正。", en="Some answers need attention."))
        self.errors = errors
