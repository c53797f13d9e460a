"""How it is known who applied: what the officer finds, beside what the service asks to be made sure of."""

from __future__ import annotations

from collections.abc import Mapping

from rules.values import Text
from webapp.extensions import db
from webapp.models import Account, Case
from workflows.service import ServiceDefinition

NEEDED: Mapping[str, Text] = {
    "none": Text(zh="本項不用確認身分", en="Not needed for this service"),
    "phone": Text(
        zh="決定前須以申請人留的電話確認身分",
        en="To be confirmed by the telephone number given, before the decision",
    ),
    "strong": Text(
        zh="決定前須核對申請人的身分證件",
        en="The identity document has to be seen before the decision",
    ),
    "originals": Text(zh="決定前須核對文件正本", en="The originals have to be seen before the decision"),
}
_CHANNELS: Mapping[str, Text] = {
    "counter": Text(zh="臨櫃送件", en="Handed in at the counter"),
    "telephone": Text(zh="電話送件，未核對證件", en="Taken by telephone, no document seen"),
    "post": Text(zh="郵寄送件，未核對證件", en="Sent by post, no document seen"),
}
_BY_MOBILE = Text(
    zh="以手機驗證碼登入的帳號送件", en="Sent from an account that signs in by a code to its mobile"
)
_BY_EMAIL = Text(
    zh="以電子郵件帳號送件，手機未經驗證", en="Sent from an account with an e-mail; no mobile confirmed"
)
_BY_NOBODY = Text(zh="未登入送件，未經確認", en="Sent without an account, nothing confirmed")


def needed(service: ServiceDefinition) -> Text:
    return NEEDED[service.assurance]


def known(case: Case) -> Text:
    """As the application came in. An account has proved its mobile only where the code is its way to sign in."""
    if case.channel in _CHANNELS:
        return _CHANNELS[case.channel]
    account = db.session.get(Account, case.account_id) if case.account_id is not None else None
    if account is None:
        return _BY_NOBODY
    return _BY_MOBILE if account.mobile_hash and not account.email_hash else _BY_EMAIL
