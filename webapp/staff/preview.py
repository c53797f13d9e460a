"""What the applicant will read, shown to the officer before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from rules.values import Text
from webapp.errors import Refused
from webapp.moments import taipei_day
from webapp.services import corrections, decisions, drafting, fees, hearings, invitations, invoices, notices
from webapp.services.drafting import Wording
from webapp.services.steps import Context, Given
from workflows.model import NOTICE_EFFECT, Transition

#: stands for the number of a letter before it has one
NOT_YET = Text(zh="（發文後編號）", en="(numbered when it is sent)")
#: stands for the account of an invoice before it is opened
_AFTER = Text(zh="（送出後產生）", en="(made when it is sent)")
#: stand for a session before there is one
_COMMITTEE = Text(zh="委員會", en="The committee")
_DAY = Text(zh="（排定的日期）", en="(the day)")
_TIME = Text(zh="（時間）", en="(the hour)")
_PLACE = Text(zh="（地點）", en="(the place)")
_FIELDS = Text(zh="開放修改的欄位：", en="Fields to be changed:")
_OPEN = Text(zh="（填寫金額後算出）", en="(once the amounts are entered)")
NO_WORDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Preview:
    title: Text
    #: what is sent has a language of its own: letters are Chinese
    lang: str
    heading: str
    paragraphs: tuple[str, ...]
    items: tuple[Text, ...] = ()
    #: what the items are
    items_title: Text = _FIELDS


def reaches_applicant(transition: Transition) -> bool:
    """Whether the applicant reads something because of it, now or when it is approved."""
    return bool(transition.proposes) or any(
        effect in decisions.EFFECTS
        or effect in ("open_invoice", "put_on_agenda")
        or effect.startswith(NOTICE_EFFECT)
        for effect in transition.effects
    )


def quotes_comment(ctx: Context, transition: Transition, wording: Wording | None, now: datetime) -> bool:
    """Whether the applicant will read the officer's comment: asked of the texts themselves."""
    mark = "\N{WORD JOINER}quoted\N{WORD JOINER}"
    whole = wording if wording is not None and not wording.lacking else None
    previews = of(ctx, transition, Given(comment=mark, wording=whole), now)
    return any(mark in text for each in previews for text in (each.heading, *each.paragraphs))


def of(ctx: Context, transition: Transition, given: Given, now: datetime) -> list[Preview]:
    """Every letter and message that the action sends, with what was typed so far."""
    found = []
    if transition.proposes:
        title = Text(zh="決行後寄給申請人的公文", en="The letter, once it is approved")
        found.append(_letter(ctx, transition.proposes, given, now, title))
    for effect in transition.effects:
        if effect in decisions.EFFECTS:
            title = Text(zh="寄給申請人的公文", en="The letter to the applicant")
            kind, decided = decisions.EFFECTS[effect], _adopted(ctx, given)
            found.append(_letter(ctx, kind, decided, now, title))
            found.append(_message(ctx, decisions.NOTICES[kind], decided, now))
        elif effect.startswith(NOTICE_EFFECT):
            found.append(_message(ctx, effect.removeprefix(NOTICE_EFFECT), given, now))
        elif effect == "put_on_agenda":
            found += _invitation(ctx, now)
        elif effect == "open_invoice" and fees.total(ctx.service, ctx.case, given.amounts) != 0:
            found.append(_invoice(ctx, given, now))
    return found


def _invitation(ctx: Context, now: datetime) -> list[Preview]:
    """Nothing goes out yet: what everybody who is invited will read once the secretary has planned a session."""
    people = hearings.heard(ctx.case)
    if not people:
        return []
    lang = ctx.case.language
    told = invitations.Sitting(_COMMITTEE, _DAY, _TIME.in_(lang), _PLACE.in_(lang))
    to: invitations.Reader = "applicant" if all(each.is_applicant for each in people) else "other_side"
    subject, paragraphs = invitations.wording(ctx, told, now, lang, to=to)
    title = Text(
        zh="現在不寄出；幹事排定會議後，通知這些人",
        en="Not sent now; once the secretary has planned a session, these people are told",
    )
    names = tuple(
        Text(zh=f"{each.label.zh}：{each.name}", en=f"{each.label.in_('en')}: {each.name}") for each in people
    )
    return [Preview(title, lang, subject, paragraphs, names, Text(zh="受通知的人：", en="Who is told:"))]


def _invoice(ctx: Context, given: Given, now: datetime) -> Preview:
    """The message about an invoice, also while its amount is still to be typed; one of nothing is not sent."""
    lang, on_date = ctx.case.language, invoices.last_day(ctx, now)
    total = fees.total(ctx.service, ctx.case, given.amounts)
    bank = invoices.gateway().slip("", total or Decimal(0), on_date).fields[0][1]
    words = invoices.in_words(total or Decimal(0), _AFTER.in_(lang), bank)
    if total is None:
        words["amount"] = _OPEN.in_(lang)
    return _message(ctx, "invoice", replace(given, on_date=on_date), now, words)


def refusal(ctx: Context, transition: Transition, given: Given, now: datetime) -> Text | None:
    """Why a letter of the action could not be sent as it stands."""
    letters = [(transition.proposes, given)] if transition.proposes else []
    letters += [
        (decisions.EFFECTS[effect], _adopted(ctx, given))
        for effect in transition.effects
        if effect in decisions.EFFECTS
    ]
    try:
        for kind, said in letters:
            decisions.require_whole(ctx, kind, _compose(ctx, kind, said, now))
    except Refused as refused:
        return refused.text
    return None


def _adopted(ctx: Context, given: Given) -> Given:
    comment, attached = decisions.adopted(ctx, ctx.case.state, given.comment, given.conditions)
    amounts = fees.fixed(ctx.service, ctx.case)
    return replace(given, comment=comment, conditions=attached, amounts=amounts)


def wording(ctx: Context, transition: Transition, kind: str, given: Given, now: datetime) -> Wording:
    """The letter as it would be sent now, for somebody to change: its template, filled in."""
    said = given
    if not decisions.EFFECTS.keys().isdisjoint(transition.effects):
        said = _adopted(ctx, given)
    elif not transition.proposes:  # passed on as it was proposed
        before = drafting.last(ctx.case, kind)
        reason = before.body["reason"] if before is not None else ""
        said = replace(given, comment=reason, amounts=fees.fixed(ctx.service, ctx.case))
    return decisions.from_template(ctx, kind, said.comment, said.amounts, now)


def _compose(ctx: Context, kind: str, given: Given, now: datetime) -> dict[str, Any]:
    return decisions.compose(ctx, kind, given.comment, given.conditions, given.amounts, now, given.wording)


def _letter(ctx: Context, kind: str, given: Given, now: datetime, title: Text) -> Preview:
    content = _compose(ctx, kind, given, now)
    paragraphs = list(content["paragraphs"])
    if content["conditions"]:
        paragraphs.append("附款：\n" + content["conditions"])
    return Preview(title, "zh", content["subject"], (*paragraphs, content["remedy"]))


def _message(
    ctx: Context, template: str, given: Given, now: datetime, words: Mapping[str, str] = NO_WORDS
) -> Preview:
    subject, body = notices.compose(
        ctx.case,
        template,
        comment=given.comment.strip(),
        on_date=given.on_date,
        correction_due=corrections.last_day(ctx, taipei_day(now)),
        letter=NOT_YET.in_(ctx.case.language),
        more=words,
    )
    fields = tuple(ctx.form.field(key).label for key in given.fields if key in ctx.form)
    title = Text(zh="傳給申請人的通知", en="The message to the applicant")
    return Preview(title, ctx.case.language, subject, (body,), fields)
