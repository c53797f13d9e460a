"""The editorial desk: a draft is saved, submitted, approved by a second person, takes effect, is rolled back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

import rules.engine
import rules.loader
from rules import storable, tryout
from rules.policies import NotUnique
from rules.values import DefinitionError, Problem, Text, normalise_text, say
from webapp.errors import Conflict, Forbidden, Misfit, NotFound, Refused
from webapp.extensions import db
from webapp.models import Account, AuditEntry, DefinitionDraft, Publication, Revision
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import definitions, ladders, publications, snapshots
from webapp.queries import desk as queries
from webapp.queries.org import chart
from webapp.services import alarms, deadlines, notices, publishing
from workflows.functions import FUNCTIONS

#: kinds that the desk has an editor for
EDITABLE = frozenset({"ruleset"})
LONGEST_REASON = 1000
#: a published ruleset never fails on facts like those of so many days
PAST = timedelta(days=90)
#: of these at most so many decisions, the newest
MOST_PAST = 20_000
MOST_PROBLEMS = 20


def open_draft(
    actor: Actor, kind: str, key: str, now: datetime, *, base: int | None = None
) -> DefinitionDraft:
    """A copy of what is in force, or of another revision, to work on. Refused while somebody's draft is alive."""
    editor = _editor(actor)
    if kind not in EDITABLE:
        raise NotFound()
    origin = db.session.get(
        Revision, definitions.revision_id(kind, key, taipei_day(now)) if base is None else base
    )
    if origin is None or (origin.kind, origin.key) != (kind, key):
        raise NotFound()
    draft = DefinitionDraft(
        kind=kind,
        key=key,
        base_revision_id=origin.id,
        known_publication_id=newest.id if (newest := publications.newest(kind, key)) else None,
        body=origin.body,
        author_id=editor,
        created_at=now,
        changed_by_id=editor,
        changed_at=now,
        editor_ids=_writers(origin),
    )
    try:
        with db.session.begin_nested():
            db.session.add(draft)
    except IntegrityError:
        raise Conflict(_already(kind, key)) from None
    record(actor, "draft opened", draft, now)
    return draft


def save(
    actor: Actor, draft_id: int, body: Mapping[str, Any], now: datetime, *, version: int
) -> DefinitionDraft:
    """Keeps what was written, right or wrong. Conflict where somebody saved meanwhile."""
    editor = _editor(actor)
    draft = hold(draft_id, version)
    require(draft, "editing")
    _require_storable(body)
    written = json.loads(json.dumps(body, ensure_ascii=False, allow_nan=False, default=str))
    if written == draft.body:
        return draft
    draft.body = written
    draft.changed_by_id, draft.changed_at = editor, now
    draft.editor_ids = sorted({*draft.editor_ids, editor})
    draft.version += 1
    db.session.flush()
    record(actor, "draft saved", draft, now)
    return draft


def _require_storable(body: Mapping[str, Any]) -> None:
    """Right or wrong: but nothing that no page of the draft could show again."""
    if found := list(islice(storable.problems(body), MOST_PROBLEMS)):
        raise Refused(
            say(
                "有無法保存的內容，草稿沒有儲存，請先修正：\n{lines}",
                "Some of this cannot be kept; nothing was saved. Correct it first:\n{lines}",
                lines=_lines(found),
            )
        )


def discard(actor: Actor, draft_id: int, now: datetime, *, version: int) -> None:
    """The draft is given up; it stays readable, and another one may be opened."""
    _editor(actor)
    draft = hold(draft_id, version)
    require(draft, "editing")
    draft.state = "discarded"
    draft.version += 1
    db.session.flush()
    record(actor, "draft discarded", draft, now)


def _writers(revision: Revision) -> list[int]:
    """Whose text it is as long as no second person approved it: a draft begun from it is theirs as well."""
    if db.session.scalars(
        select(Publication.id).where(Publication.revision_id == revision.id).limit(1)
    ).first():
        return []
    drafts = db.session.scalars(select(DefinitionDraft).where(DefinitionDraft.revision_id == revision.id))
    by = {revision.created_by_id} if revision.created_by_id else set()
    return sorted(by.union(*map(hands, drafts)))


class NotFit(Refused):
    """The draft may not be published; `problems` says where and why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            say(
                "草稿有 {n} 個問題，請先修正：\n{lines}",
                "The draft has {n} problems; correct them first:\n{lines}",
                n=len(self.problems),
                lines=_lines(problems),
            )
        )


def submit(
    actor: Actor, draft_id: int, reason: str, effective_from: date, now: datetime, *, version: int
) -> DefinitionDraft:
    """Hands the draft to a second person, checked and tested. What they will approve is this revision and no other."""
    editor = _editor(actor)
    draft = hold(draft_id, version)
    require(draft, "editing")
    said = _said("reason", reason)
    if effective_from < taipei_day(now):
        raise Misfit(
            "effective_from",
            Text(zh="生效日不能早於今天。", en="It cannot take effect before today."),
        )
    _require_up_to_date(draft)
    body = draft.mapping
    digest = publishing.checksum(body)
    in_force = definitions.revision_id(draft.kind, draft.key, effective_from)
    if digest == db.session.get_one(Revision, in_force).checksum:
        raise Refused(
            Text(
                zh="草稿與那一天生效的版本相同，沒有需要送審的修改。",
                en="The draft equals what is in force on that day: there is nothing to approve.",
            )
        )
    if problems := check(draft.key, body, now):
        raise NotFit(problems)
    _require_days(body, effective_from)
    submitted = db.session.get(Revision, draft.revision_id) if draft.revision_id else None
    if submitted is None or submitted.checksum != digest:
        submitted = publishing.insert(actor, draft.kind, draft.key, body, now, origin="editor")
    draft.revision_id = submitted.id
    draft.state, draft.reason, draft.effective_from = "submitted", said, effective_from
    draft.submitted_by_id, draft.submitted_at = editor, now
    _moved(draft, editor, now)
    record(actor, "draft submitted", draft, now, f"{effective_from} {said}")
    title = _title(draft)
    notices.tell_staff(
        alarms.watchers(taipei_day(now)) - hands(draft) - {editor},
        f"definition:{draft.id}:{draft.version}",
        Text(zh=f"請審核規則的修改：{title.zh}", en=f"Please review a change: {title.in_('en')}"),
        Text(
            zh=f"{actor.name}送審「{title.zh}」的修改，預定 {effective_from} 生效。理由：{said}\n"
            "請到「規則與定義」審核；現行版本在核准前照常執行。",
            en=f"{actor.name} submitted a change of “{title.in_('en')}”, to take effect on {effective_from}. "
            f"The reason: {said}\nPlease look at it under “Rules and definitions”. "
            "Until it is approved the present version stays in force.",
        ),
        now,
    )
    return draft


def send_back(actor: Actor, draft_id: int, comment: str, now: datetime, *, version: int) -> DefinitionDraft:
    """The second person returns it with a reason; whoever worked on it may take it back themselves."""
    editor = _editor(actor)
    draft = hold(draft_id, version)
    require(draft, "submitted")
    said = _said("comment", comment)
    own = editor in hands(draft)
    draft.state, draft.comment = "editing", said
    _moved(draft, editor, now)
    record(actor, "draft taken back" if own else "draft sent back", draft, now, said)
    title = _title(draft)
    _tell_hands(
        draft,
        editor,
        Text(zh=f"退回修改：{title.zh}", en=f"Returned: {title.in_('en')}"),
        Text(
            zh=f"{actor.name}退回「{title.zh}」的草稿：{said}",
            en=f"{actor.name} returned the draft of “{title.in_('en')}”: {said}",
        ),
        now,
    )
    return draft


def approve(actor: Actor, draft_id: int, now: datetime, *, version: int) -> DefinitionDraft:
    """A second person puts it into force on its day, or today where that has passed. Everything is checked again."""
    editor = _editor(actor)
    draft = hold(draft_id, version)
    require(draft, "submitted")
    if editor in hands(draft):
        raise Forbidden(
            Text(
                zh="您寫過、改過或送審過這份草稿，要由另一位有權限的同仁核准。",
                en="You wrote, changed or submitted this draft: somebody else has to approve it.",
            )
        )
    publishing.alone((draft.kind, draft.key))
    _require_up_to_date(draft)
    revision = db.session.get_one(Revision, draft.revision_id)
    if problems := check(draft.key, revision.mapping, now):
        raise NotFit(problems)
    assert draft.effective_from is not None
    draft.effective_from = max(draft.effective_from, taipei_day(now))
    _require_days(revision.mapping, draft.effective_from)
    draft.state = "published"
    _moved(draft, editor, now)
    _publish(actor, revision, draft.effective_from, now, draft.reason)
    record(actor, "draft approved", draft, now, f"{draft.effective_from}")
    title = _title(draft)
    _tell_hands(
        draft,
        editor,
        Text(zh=f"已核准：{title.zh}", en=f"Approved: {title.in_('en')}"),
        Text(
            zh=f"{actor.name}核准了「{title.zh}」的修改（版本 {revision.number}），{draft.effective_from} 起生效。",
            en=f"{actor.name} approved the change of “{title.in_('en')}” (version {revision.number}); it takes "
            f"effect on {draft.effective_from}.",
        ),
        now,
    )
    return draft


def catch_up(actor: Actor, draft_id: int, now: datetime, *, version: int) -> DefinitionDraft:
    """Takes over what was published since the draft was begun; where both changed the same, the draft's word stays."""
    editor = _editor(actor)
    draft = hold(draft_id, version)
    require(draft, "editing")
    newest = publications.newest(draft.kind, draft.key)
    if newest is None or newest.id == draft.known_publication_id:
        raise Refused(Text(zh="草稿已經是最新的。", en="The draft is up to date."))
    published = db.session.get_one(Revision, newest.revision_id)
    draft.body, both = queries.caught_up(draft)
    draft.base_revision_id, draft.known_publication_id = published.id, newest.id
    _moved(draft, editor, now)
    draft.editor_ids = sorted({*draft.editor_ids, editor})
    db.session.flush()
    kept = "；".join(each.zh for each in both[:MOST_PROBLEMS])
    record(actor, "draft caught up", draft, now, f"#{published.number} {kept}".strip())
    return draft


def rollback(
    actor: Actor, kind: str, key: str, reason: str, now: datetime, *, seen: int
) -> publications.Undo:
    """Undoes the newest publication in one step: what was in force without it is published again, and so is what
    was approved for a later day, from its own day.

    One that is still to come is undone from its own day, else from today. `seen` is the publication that the page
    showed as the newest: twice the same click undoes once.
    """
    _editor(actor)
    if kind not in EDITABLE:
        raise NotFound()
    said = _said("reason", reason)
    publishing.alone((kind, key))
    undo = publications.undo(kind, key, taipei_day(now))
    if undo is None:
        raise Refused(
            Text(zh="沒有更早的版本可以復原。", en="There is no earlier version to go back to."),
        )
    if undo.publication.id != seen:
        who = chart().names.get(undo.publication.published_by_id or 0, "")
        raise Conflict(
            Text(
                zh=f"{who}已經發布了另一個版本，請看過現在的狀態再決定。",
                en=f"{who or 'Somebody'} has published another version meanwhile: look at it first.",
            )
        )
    for revision, _day in undo.again:
        _require_readable(revision)
    for revision, day in undo.again:
        _publish(actor, revision, day, now, said)
    subject = f"{kind}/{key}#{undo.revision.number}"
    _note(actor, "rolled back", subject, now, f"{undo.day} {said}")
    later_zh = "".join(f"版本 {revision.number} 照原定於 {day} 生效。" for revision, day in undo.later)
    later_en = "".join(f"Version {r.number} takes effect on {day} as approved. " for r, day in undo.later)
    title = queries.title_of(undo.revision.mapping.get("title"), key)
    notices.tell_staff(
        alarms.watchers(taipei_day(now)) - {actor.account_id or 0},
        f"definition:{kind}:{key}:undone:{undo.publication.id}",
        Text(zh=f"規則已復原：{title.zh}", en=f"Rolled back: {title.in_('en')}"),
        Text(
            zh=f"{actor.name}把「{title.zh}」復原到版本 {undo.revision.number}，{undo.day} 起生效。"
            f"{later_zh}理由：{said}",
            en=f"{actor.name} rolled “{title.in_('en')}” back to version {undo.revision.number} from {undo.day} on. "
            f"{later_en}The reason: {said}",
        ),
        now,
    )
    return undo


def _require_readable(revision: Revision) -> None:
    """An old version may speak of what this release knows no more; in force it would decide nothing."""
    try:
        rules.loader.load(revision.mapping, functions=FUNCTIONS, published=True)
    except DefinitionError as error:
        raise Refused(
            say(
                "版本 {number} 已經無法讀取，不能恢復生效。請以它建立草稿，修正後送審：\n{lines}",
                "Version {number} can no longer be read and is not put into force. Begin a draft from it, mend it "
                "and submit it:\n{lines}",
                number=revision.number,
                lines=_lines(error.problems[:MOST_PROBLEMS]),
            )
        ) from None


def _lines(problems: Sequence[Problem]) -> Text:
    """Each on a line of its own."""
    said = [each.text for each in problems]
    return Text(zh="\n".join(each.zh for each in said), en="\n".join(each.in_("en") for each in said))


def check(key: str, body: Mapping[str, Any], now: datetime) -> list[Problem]:
    """Why the draft may not be published: mistakes, failed examples, and past facts that it could not decide."""
    if body.get("key") != key:
        return [Problem(path="key", message=queries.other_key(key))]
    if problems := tryout.try_out(body, FUNCTIONS, chart().codes):
        return problems
    ruleset = rules.loader.load(body, functions=FUNCTIONS)
    if not any(policy.hit == "unique" for policy in (ruleset.policy, *ruleset.table_policies.values())):
        return []
    problems = []
    with closing(rules.engine.compile(ruleset)) as compiled:
        for facts, times in snapshots.distinct(key, taipei_day(now) - PAST, MOST_PAST):
            try:
                compiled.evaluate(facts)
            except NotUnique as found:
                message = say(
                    "最近 {days} 天有 {times} 次判斷的事實會同時符合這些規則：{rules}",
                    "In the last {days} days the facts of {times} decisions would have met all of these rules: {rules}",
                    days=PAST.days,
                    times=times,
                    rules=found.rules,
                )
                problems.append(Problem(path="hit_policy", message=message))
    return problems[:MOST_PROBLEMS]


def _publish(actor: Actor, revision: Revision, day: date, now: datetime, reason: str) -> None:
    """Reminders follow the rules of the day at once, though it was walked through before."""
    publishing.publish(actor, revision, day, now, reason=reason)
    today = taipei_day(now)
    if (revision.kind, revision.key) == ("ruleset", ladders.RULESET) and day <= today:
        deadlines.look_again(today)


def _require_days(body: Mapping[str, Any], day: date) -> None:
    """Its last day is not over before it takes effect."""
    last = date.fromisoformat(body["effective_to"]) if body.get("effective_to") else day
    if last < day:
        raise Refused(
            Text(
                zh=f"規則集寫的最後一天（{last}）早於生效日（{day}），發布了也不會適用。請改最後一天或生效日。",
                en=f"The last day that the ruleset names ({last}) is before the day of effect ({day}): it would "
                "never apply. Change one of them.",
            )
        )


def _require_up_to_date(draft: DefinitionDraft) -> None:
    newest = publications.newest(draft.kind, draft.key)
    if newest is None or newest.id == draft.known_publication_id:
        return
    who = chart().names.get(newest.published_by_id or 0, "")
    raise Refused(
        Text(
            zh=f"草稿開始之後，{who or '系統'}發布了另一個版本。請退回草稿，由編輯的人按「納入新版本」，"
            "看過差異後重新送審。",
            en=f"{who or 'The system'} has published another version since this draft was begun. Return the draft; "
            "whoever edits it takes the newer version over, looks at the differences and submits it again.",
        )
    )


def _said(field: str, words: str) -> str:
    said = normalise_text(words)
    if not said:
        raise Misfit(field, Text(zh="請填寫理由。", en="Please give a reason."))
    if len(said) > LONGEST_REASON:
        raise Misfit(
            field,
            Text(
                zh=f"理由最多 {LONGEST_REASON} 字。", en=f"A reason has {LONGEST_REASON} characters at most."
            ),
        )
    return said


def _moved(draft: DefinitionDraft, editor: int, now: datetime) -> None:
    draft.changed_by_id, draft.changed_at = editor, now
    draft.version += 1
    db.session.flush()


def hands(draft: DefinitionDraft) -> set[int]:
    """Everybody who wrote, saved or submitted it: none of them is the second person."""
    return {draft.author_id, *draft.editor_ids} | (
        {draft.submitted_by_id} if draft.submitted_by_id else set()
    )


def _tell_hands(draft: DefinitionDraft, editor: int, subject: Text, body: Text, now: datetime) -> None:
    notices.tell_staff(hands(draft) - {editor}, f"definition:{draft.id}:{draft.version}", subject, body, now)


def _title(draft: DefinitionDraft) -> Text:
    return queries.title_of(draft.mapping.get("title"), draft.key)


def _note(actor: Actor, action: str, subject: str, now: datetime, detail: str = "") -> None:
    db.session.add(
        AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=subject, detail=detail)
    )
    db.session.flush()


def hold(draft_id: int, version: int) -> DefinitionDraft:
    """The draft for this transaction alone; Conflict names who changed it since the page was opened."""
    draft = db.session.get(DefinitionDraft, draft_id, with_for_update=True, populate_existing=True)
    if draft is None:
        raise NotFound()
    if draft.version != version:
        name = db.session.get_one(Account, draft.changed_by_id).name
        raise Conflict(
            Text(
                zh=f"{name}已經改過這份草稿，您的修改還沒有儲存。請開啟新的內容，再改一次。",
                en=f"{name} has changed this draft meanwhile; yours is not saved. Open it again and repeat the change.",
            )
        )
    return draft


def require(draft: DefinitionDraft, state: str) -> None:
    if draft.state != state:
        raise Refused(
            Text(
                zh="這份草稿已經送審、發布或捨棄，不能再這樣處理。",
                en="This draft was submitted, published or discarded; this is no longer possible.",
            )
        )


def record(actor: Actor, action: str, draft: DefinitionDraft, now: datetime, detail: str = "") -> None:
    """Every step is in the audit record."""
    _note(actor, action, f"{draft.kind}/{draft.key} draft {draft.id} version {draft.version}", now, detail)


def _editor(actor: Actor) -> int:
    if not actor.may("edit_definitions") or actor.account_id is None:
        raise Forbidden(
            Text(
                zh="只有系統管理者與研考單位可以修改規則與定義。",
                en="Only administrators and the research office edit rules and definitions.",
            )
        )
    return actor.account_id


def _already(kind: str, key: str) -> Text:
    name = db.session.scalar(
        select(Account.name)
        .join(DefinitionDraft, DefinitionDraft.author_id == Account.id)
        .where(
            DefinitionDraft.kind == kind,
            DefinitionDraft.key == key,
            DefinitionDraft.state.in_(("editing", "submitted")),
        )
    )
    return Text(
        zh=f"{name or '有人'}的草稿還在進行，請接續那一份，或先捨棄它。",
        en=f"A draft by {name or 'somebody'} is alive: go on with it, or discard it first.",
    )
