"""Some fields of a form while they are filled in: a step of a draft, or what a correction opened.

One posted page does one thing besides keeping what was typed: go on, leave, send or remove a file, add or
remove a row of a table. All of it works without script.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage, MultiDict

import forms.answers
from forms.builder import AnswerForm, results_of
from forms.evaluation import Raw
from forms.messages import Mistake
from forms.model import Field, FormDefinition
from rules.values import Text
from webapp.errors import Conflict, NotFound, Refused
from webapp.models import Document
from webapp.presentation import language
from webapp.queries import answering, earlier
from webapp.security import actor, now
from webapp.services import documents, drafts
from webapp.uow import unit_of_work

Typed: TypeAlias = MultiDict[str, str]
#: what is wrong with files, by field
Mistakes: TypeAlias = dict[str, list[Text]]

#: longer names of inputs belong to nobody
LONGEST_NAME = 200
NOTHING_CHOSEN = Text(zh="請先選擇檔案，再按「上傳」。", en="Choose a file first, then press Upload.")


class Sheet(ABC):
    form: FormDefinition
    #: the fields that the page shows
    keys: tuple[str, ...]
    #: for the stylesheet of the form
    revision: int
    #: which service's lists its questions choose from
    service_code: str
    #: who may apply for it
    applicants: tuple[str, ...]
    #: under which uploads are kept
    upload_key: str

    @property
    @abstractmethod
    def raw(self) -> Raw:
        """All input of the form as kept, of other pages too."""

    @property
    @abstractmethod
    def version(self) -> int: ...

    @property
    @abstractmethod
    def today(self) -> date:
        """The day from which limits count."""

    @abstractmethod
    def save(self, raw: Raw, version: int) -> None:
        """Raises Conflict if the page is older than what is kept."""

    @abstractmethod
    def lock(self) -> None: ...

    @abstractmethod
    def add_file(self, document: Document) -> None: ...

    @abstractmethod
    def drop_file(self, key: str, public_id: str) -> None: ...

    def file_field(self, key: str) -> Field:
        if key not in self.keys or self.form.field(key).type != "file":
            raise NotFound()
        return self.form.field(key)

    @property
    def file_fields(self) -> list[Field]:
        return [f for f in self.form.file_fields if f.key in self.keys]

    def typed_over(self, typed: Typed) -> dict[str, list[str]]:
        """All input as it would be with this page's on top."""
        return drafts.merged(self.raw, self.form, self.keys, raw_of(typed))

    # --- what the page shows

    def clean(self, raw: Raw | None = None) -> forms.answers.Cleaned:
        """The answers of this page with their mistakes; conditions see all that was typed."""
        typed = self.raw if raw is None else raw
        return answering.clean(self.form, typed, now(), **self._asked())

    def unchecked(self, raw: Raw | None = None) -> AnswerForm:
        """The fields as typed, without mistakes: nobody is told off for a page that was not sent yet."""
        typed = self.raw if raw is None else raw
        return answering.unchecked(self.form, typed, now(), **self._asked())

    def _asked(self) -> dict[str, Any]:
        """Of whom, in which language, and which questions."""
        return {
            "service_code": self.service_code,
            "lang": language(),
            "keys": self.keys,
            "applicants": self.applicants,
            "today": self.today,
        }

    def results(self) -> dict[str, str]:
        """What the page computes from its answers, by the id of its place."""
        return results_of(self.unchecked())

    def files(self) -> dict[str, dict[str, Any]]:
        """Names and sizes of the uploads that the page lists."""
        found = documents.of_draft(self.upload_key)
        return {d.public_id: shown(d) for field_files in found.values() for d in field_files}

    def earlier_files(self) -> dict[str, list[earlier.File]]:
        """Files of earlier applications, for the questions that are asked now and take one more."""
        if not self.file_fields:
            return {}
        present = documents.of_draft(self.upload_key)
        digests = frozenset(d.sha256 for found in present.values() for d in found)
        hidden = answering.clean(
            self.form, self.raw, now(), service_code=self.service_code, lang=language()
        ).hidden
        open_ = [
            f
            for f in self.file_fields
            if f.key not in hidden and len(self.raw.get(f.key, ())) < (f.max_files or documents.DEFAULT_FILES)
        ]
        return earlier.files(actor(), open_, digests, documents.fits)


def shown(document: Document) -> dict[str, Any]:
    url = url_for("citizen.document", pid=document.public_id)
    return {"name": document.filename, "size": document.size, "url": url}


@dataclass
class Received:
    """What a posted page wanted, and the mistakes of its files."""

    action: str
    argument: str = ""
    mistakes: Mistakes = field(default_factory=dict)

    @property
    def field_key(self) -> str:
        return self.argument.partition(":")[0]


def raw_of(typed: Typed) -> dict[str, list[str]]:
    return {name: typed.getlist(name) for name in typed if len(name) <= LONGEST_NAME}


def version_of(typed: Typed) -> int:
    """The version that the page was made from; a page without one is as old as can be."""
    text = typed.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def keep(sheet: Sheet, typed: Typed) -> None:
    """Keeps what was typed, and nothing more."""
    with unit_of_work():
        sheet.save(raw_of(typed), version_of(typed))


def keep_and_find_again(sheet: Sheet, typed: Typed) -> str | None:
    """Keeps what was typed, and names the place of the last question that this changed: there one was at work."""
    changed = differences(sheet, sheet.typed_over(typed))
    keep(sheet, typed)
    return f"field-{changed[-1].key}" if changed else None


def receive(sheet: Sheet) -> Received:
    """Keeps what was typed and carries out the pressed button. Raises Conflict when another tab says something else."""
    try:
        return _receive(sheet, version_of(request.form))
    except Conflict:
        if differences(sheet, sheet.typed_over(request.form)):
            raise
        return _receive(sheet, sheet.version)


def _receive(sheet: Sheet, version: int) -> Received:
    action, _colon, argument = request.form.get("action", "continue").partition(":")
    received = Received(action, argument)
    with unit_of_work():
        sheet.save(_with_rows(sheet, raw_of(request.form), received), version)
        if action == "remove-file":
            _remove(sheet, argument)
        elif action == "reuse":
            _reuse(sheet, received)
        for wanted in sheet.file_fields:
            chosen = [f for f in request.files.getlist(f"{wanted.key}-upload") if f.filename]
            _store(sheet, wanted, chosen, received)
            if action == "upload" and argument == wanted.key and not chosen:
                received.mistakes[wanted.key] = [NOTHING_CHOSEN]
    return received


def store_one(sheet: Sheet, key: str) -> Document:
    """One file, sent by script."""
    wanted, file = sheet.file_field(key), request.files.get("file")
    if file is None:
        raise NotFound()
    with unit_of_work():
        sheet.lock()
        document = documents.upload(
            actor(), sheet.upload_key, wanted, file.filename or "", file.read(), now()
        )
        sheet.add_file(document)
    return document


def remove_one(sheet: Sheet, key: str, public_id: str) -> None:
    sheet.file_field(key)
    with unit_of_work():
        _remove(sheet, f"{key}:{public_id}")


def blame(form: AnswerForm, mistakes: Mistakes) -> None:
    """Puts the mistakes of files beside their fields, and into the summary; that one is missing goes without saying."""
    for key, texts in mistakes.items():
        form[key].blame(tuple(Mistake(text) for text in texts))


def files_were_chosen() -> bool:
    """A browser does not keep them when the page comes back."""
    return any(file.filename for file in request.files.values())


@dataclass(frozen=True)
class Difference:
    """A question that two tabs answered differently."""

    key: str
    label: str
    here: str
    kept: str


def differences(sheet: Sheet, raw: Raw) -> list[Difference]:
    """Where the input of this page and what is kept are not the same."""
    here, kept = _in_words(sheet, raw), _in_words(sheet, sheet.raw)
    labels = {key: sheet.form.field(key).label.in_(language()) for key in sheet.keys}
    return [
        Difference(key, labels[key], here[key], kept[key]) for key in sheet.keys if here[key] != kept[key]
    ]


def _in_words(sheet: Sheet, raw: Raw) -> dict[str, str]:
    """Valid answers as the review would show them, others as they were typed."""
    answers = sheet.clean(raw).answers
    typed = sheet.unchecked(raw)
    words = {}
    for key in sheet.keys:
        texts = [text for texts in typed[key].given.values() for text in texts if text.strip()]
        wanted = sheet.form.field(key)
        valid = key in answers and wanted.type != "file"
        words[key] = forms.answers.display(wanted, answers[key], language()) if valid else _("、").join(texts)
    return words


def _store(sheet: Sheet, wanted: Field, chosen: Iterable[FileStorage], received: Received) -> None:
    """Each file for itself: a bad one gets its message beside the field, the good ones are kept."""
    for file in chosen:
        try:
            sheet.add_file(
                documents.upload(actor(), sheet.upload_key, wanted, file.filename or "", file.read(), now())
            )
        except Refused as refusal:
            received.mistakes.setdefault(wanted.key, []).append(refusal.text)


def _remove(sheet: Sheet, argument: str) -> None:
    """Out of the list; the bytes too, unless an earlier submission still names them."""
    key, _colon, public_id = argument.partition(":")
    sheet.file_field(key)
    sheet.drop_file(key, public_id)
    if any(d.public_id == public_id for d in documents.of_draft(sheet.upload_key).get(key, [])):
        documents.remove(sheet.upload_key, public_id)


def _reuse(sheet: Sheet, received: Received) -> None:
    """Takes a copy of a file that the same account sent before: whatever becomes of the old case, it stays."""
    key, _colon, public_id = received.argument.partition(":")
    wanted, file = sheet.file_field(key), earlier.file(actor(), public_id)
    try:
        copy = documents.upload(
            actor(), sheet.upload_key, wanted, file.filename, documents.content_of(file), now()
        )
        sheet.add_file(copy)
    except Refused as refusal:
        received.mistakes[key] = [refusal.text]


def _with_rows(sheet: Sheet, raw: dict[str, list[str]], received: Received) -> dict[str, list[str]]:
    """The posted input with a row more or less, where such a button was pressed."""
    if received.argument.partition(":")[0] not in sheet.keys:
        return raw
    return forms.answers.with_rows(sheet.form, raw, received.action, received.argument)
