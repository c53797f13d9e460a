"""The form of a task while an officer fills it in: its files, the rows of its tables, and what is kept for later."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import request
from flask_babel import gettext as _

import forms.answers
from forms.model import FormDefinition
from webapp.errors import NotFound, Refused
from webapp.models import Case, Task
from webapp.presentation import in_language
from webapp.security import actor, now
from webapp.services import cases, documents, task_drafts
from webapp.staff import shown
from webapp.staff.typed import Mistakes
from webapp.uow import unit_of_work

VERSION = "draft-version"
Raw = dict[str, list[str]]


def receive_files(task: Task, form: FormDefinition, action: str, argument: str) -> Mistakes:
    """Keeps the files that came with the page and takes out the one that was removed."""
    found: Mistakes = {}
    key = cases.upload_key(task)
    with unit_of_work():
        if action == "remove-file":
            with suppress(NotFound):  # removed before: by a second press, or in another window
                documents.remove(key, argument.rpartition(":")[2])
        for wanted in form.file_fields:
            chosen = [f for f in request.files.getlist(f"{wanted.key}-upload") if f.filename]
            if action == "upload" and argument == wanted.key and not chosen:
                found[wanted.key] = [_("請先選擇檔案，再按「上傳」。")]
            for file in chosen:
                try:
                    documents.upload(actor(), key, wanted, file.filename or "", file.read(), now())
                except Refused as refusal:
                    found.setdefault(wanted.key, []).append(in_language(refusal.text))
    return found


def files(task: Task, form: FormDefinition) -> Raw:
    kept = documents.of_draft(cases.upload_key(task))
    return {f.key: [d.public_id for d in kept.get(f.key, [])] for f in form.file_fields}


def uploaded(task: Task) -> dict[str, dict[str, Any]]:
    kept = documents.of_draft(cases.upload_key(task))
    return {
        d.public_id: {"name": d.filename, "size": d.size, "url": shown.document_url(d)}
        for group in kept.values()
        for d in group
    }


def begin(case: Case, task: Task, form: FormDefinition) -> Raw:
    """What stands in its inputs at first."""
    raw = task_drafts.begin(case, task, form)
    return {**raw, VERSION: [str(task_drafts.version_of(task))]}


def with_rows(form: FormDefinition, raw: Raw, action: str, argument: str) -> Raw:
    return forms.answers.with_rows(form, raw, action, argument)


def keep(task: Task, form: FormDefinition, raw: Raw) -> None:
    """暫存. Conflict if somebody stored it since the page was made."""
    with unit_of_work():
        task_drafts.keep(actor(), task, form, raw, now(), version=_version(raw))


def sent(case: Case, task: Task, raw: Raw) -> None:
    """In the unit of work that sends it. Conflict if somebody stored it since the page was made."""
    task_drafts.sent(case, task, version=_version(raw))


def _version(raw: Raw) -> int:
    typed = next(iter(raw.get(VERSION, ())), "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else -1
