"""Sign-in by e-mail and password or by mobile number and one-time code; every guess is counted."""

from __future__ import annotations

import hmac
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection, Row, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from rules.values import Text, normalise_text
from webapp import crypto
from webapp.errors import Refused, TooMany
from webapp.extensions import db
from webapp.models import Account, AuditEntry, LoginCode, Throttle
from webapp.queries import outbox
from webapp.services import notices

CODE_LIFETIME = timedelta(minutes=10)
CODE_ATTEMPTS = 5
WINDOW = timedelta(minutes=15)
#: tries from one source: at one account, number or case, where it is guessed at; `address` is all of them together
LIMITS = {
    "password": 10,
    "code": 5,
    "follow": 10,
    "handover": 10,
    "verify": 60,
    "payment": 60,
    "address": 300,
    "draft": 60,
}
#: guesses at one of them from everywhere: so many that nobody alone keeps the right person out
LIMITS_EVERYWHERE = {"password": 100, "code": 20, "follow": 100, "handover": 100}
PASSWORD_LENGTH = 10

WRONG = Text(zh="帳號或密碼不正確，請再試一次。", en="The e-mail or password is not right. Try again.")
TAKEN = Text(
    zh="這個電子郵件或手機號碼已註冊過，請直接登入。",
    en="This e-mail address or mobile number is already registered. Sign in instead.",
)
WRONG_CODE = Text(
    zh="驗證碼不正確或已過期，請重新輸入或重新取得。",
    en="The code is wrong or has expired. Enter it again or get a new one.",
)


def register(
    name: str, email: str, password: str, now: datetime, *, mobile: str = "", kind: str = "citizen"
) -> Account:
    """A new account. An address that is taken is refused without saying whose it is."""
    address = clean_email(email) if email else None
    number = clean_mobile(mobile) if mobile else None
    check_password(password)
    if not normalise_text(name):
        raise Refused(Text(zh="請輸入姓名。", en="Enter your name."))
    account = Account(
        kind=kind,
        name=normalise_text(name)[:80],
        email=address,
        mobile=number,
        email_hash=crypto.keyed_hash(address, "email") if address else None,
        mobile_hash=crypto.keyed_hash(number, "mobile") if number else None,
        password_hash=crypto.hash_password(password),
        created_at=now,
    )
    # an account without a mobile number is not the same as every other one without
    same = [
        column == value
        for column, value in (
            (Account.email_hash, account.email_hash),
            (Account.mobile_hash, account.mobile_hash),
        )
        if value is not None
    ]
    if same and db.session.scalars(select(Account.id).where(or_(*same)).limit(1)).first() is not None:
        raise Refused(TAKEN)
    try:
        with db.session.begin_nested():
            db.session.add(account)
    except IntegrityError:  # somebody registered the same address at the same moment
        raise Refused(TAKEN) from None
    return account


def sign_in_by_password(email: str, password: str, source: str, now: datetime) -> Account:
    """Raises Refused with the same words for an unknown address and a wrong password."""
    try:
        digest = crypto.keyed_hash(clean_email(email), "email")
    except Refused:
        digest = ""  # what is no address has no account
    count_attempt("password", source, now, identity=digest)
    account = db.session.scalars(select(Account).where(Account.email_hash == digest)).one_or_none()
    stored = account.password_hash if account is not None and account.active else None
    if not crypto.password_matches(stored, password[:1024]) or account is None:
        raise Refused(WRONG)
    forget_attempts("password", source, digest)
    _audit("signed_in", account.id, now)
    return account


def send_code(mobile: str, source: str, now: datetime) -> None:
    """Sends a one-time code; an older one ends. The answer is the same whether or not the number has an account."""
    number = clean_mobile(mobile)
    digest = crypto.keyed_hash(number, "mobile")
    count_attempt("code", source, now, identity=digest)
    code = crypto.numeric_code()
    row = LoginCode(
        destination_hash=digest,
        code_hash=crypto.keyed_hash(f"{digest}{code}", "login code"),
        created_at=now,
        expires_at=now + CODE_LIFETIME,
    )
    db.session.add(row)
    db.session.flush()
    body = f"您的登入驗證碼是 {code}，10 分鐘內有效。請勿告訴他人。\nYour sign-in code is {code}, valid for 10 minutes."
    notices.post(f"{outbox.CODE}{row.id}", "sms", number, "登入驗證碼 Sign-in code", body, now)


def sign_in_by_code(mobile: str, code: str, source: str, now: datetime) -> Account:
    """The account of a mobile number, made at the first sign-in. A code works once, and for five guesses in all."""
    count_attempt("address", source, now)
    number = clean_mobile(mobile)
    digest = crypto.keyed_hash(number, "mobile")
    guessed = _guess_at_code(digest, now)
    given = "".join(c for c in normalise_digits(code[:40]) if c.isdigit())
    expected = crypto.keyed_hash(f"{digest}{given}", "login code")
    if guessed is None or not hmac.compare_digest(guessed.code_hash, expected):
        raise Refused(WRONG_CODE)
    used = update(LoginCode).where(LoginCode.id == guessed.id, LoginCode.used_at.is_(None))
    if db.session.scalars(used.values(used_at=now).returning(LoginCode.id)).first() is None:
        raise Refused(WRONG_CODE)  # by the same code a moment ago
    account = db.session.scalars(select(Account).where(Account.mobile_hash == digest)).one_or_none()
    if account is not None and not account.active:
        raise Refused(WRONG_CODE)
    if account is None:
        account = Account(
            kind="citizen", name=_masked(number), mobile=number, mobile_hash=digest, created_at=now
        )
        db.session.add(account)
    db.session.flush()
    _audit("signed_in_by_code", account.id, now)
    return account


def _guess_at_code(digest: str, now: datetime) -> Row[tuple[int, str]] | None:
    """The newest code of a number, if it may still be guessed. A guess counts before anybody knows if it is right."""
    newest = select(func.max(LoginCode.id)).where(LoginCode.destination_hash == digest).scalar_subquery()
    with db.engine.begin() as connection:
        return connection.execute(
            update(LoginCode)
            .where(
                LoginCode.id == newest,
                LoginCode.used_at.is_(None),
                LoginCode.expires_at > now,
                LoginCode.attempts < CODE_ATTEMPTS,
            )
            .values(attempts=LoginCode.attempts + 1)
            .returning(LoginCode.id, LoginCode.code_hash)
        ).first()


def sign_out(account_id: int, now: datetime) -> None:
    """Ends every session of the account: a cookie that was copied is worth nothing afterwards."""
    db.session.execute(
        update(Account).where(Account.id == account_id).values(session_epoch=Account.session_epoch + 1)
    )
    _audit("signed_out", account_id, now)


def by_session(session_id: str) -> Account | None:
    """The account of a session cookie, unless it was signed out everywhere since."""
    account_id, _, epoch = session_id.partition(".")
    if not (account_id.isdigit() and epoch.isdigit()):
        return None
    account = db.session.get(Account, int(account_id))
    return account if account is not None and account.active and account.session_epoch == int(epoch) else None


def count_attempt(kind: str, source: str, now: datetime, *, identity: str = "") -> None:
    """Counts a try, and refuses it once a window is full. In a transaction of its own: neither a refusal nor the
    caller's own fate undoes it. Counts in order: who is stopped as one source does not count against the identity."""
    limits = {_key("address", source): LIMITS["address"], _key(kind, source, identity): LIMITS[kind]}
    if identity:
        limits[_key(kind, "", identity)] = LIMITS_EVERYWHERE[kind]
    _count(
        limits,
        now,
        Text(
            zh="嘗試次數過多，請 15 分鐘後再試。您已填寫的資料不會遺失。",
            en="Too many attempts. Try again in 15 minutes; nothing you entered is lost.",
        ),
    )


def count_draft(source: str, now: datetime) -> None:
    """Whoever does not sign in can begin only so many applications, for each may carry files. Counts by itself."""
    _count(
        {_key("draft", source): LIMITS["draft"]},
        now,
        Text(
            zh="這個網路位址在短時間內開始了太多份申請，請 15 分鐘後再試，或先登入。已儲存的草稿不會遺失。",
            en="Too many applications were begun from this address. Try again in 15 minutes or sign in; "
            "saved drafts are not lost.",
        ),
    )


def _count(limits: Mapping[str, int], now: datetime, refusal: Text) -> None:
    """Counts in order, up to the first that is full; that one is refused."""
    with db.engine.begin() as connection:
        is_full = any(_counted(connection, key, now) > most for key, most in limits.items())
    if is_full:
        raise TooMany(refusal)


def forget_attempts(kind: str, source: str, identity: str) -> None:
    """After the right guess."""
    keys = (_key(kind, source, identity), _key(kind, "", identity))
    with db.engine.begin() as connection:
        connection.execute(delete(Throttle).where(Throttle.key.in_(keys)))


def drop_expired(now: datetime) -> None:
    """Counts and codes that are of no more use."""
    db.session.execute(delete(Throttle).where(Throttle.window_ends_at <= now))
    db.session.execute(delete(LoginCode).where(LoginCode.expires_at <= now))


def _key(kind: str, source: str, identity: str = "") -> str:
    """Neither addresses nor numbers stand in the clear."""
    return f"{kind}:{crypto.keyed_hash(json.dumps([source, identity]), 'throttle')}"


def _counted(connection: Connection, key: str, now: datetime) -> int:
    is_over = Throttle.window_ends_at <= now
    return connection.execute(
        insert(Throttle)
        .values(key=key, count=1, window_ends_at=now + WINDOW)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": db.case((is_over, 1), else_=Throttle.count + 1),
                "window_ends_at": db.case((is_over, now + WINDOW), else_=Throttle.window_ends_at),
            },
        )
        .returning(Throttle.count)
    ).scalar_one()


def clean_email(email: str) -> str:
    """One writing of an address, for registering and signing in alike."""
    try:
        return validate_email(normalise_digits(email[:400]), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise Refused(
            Text(
                zh="電子郵件格式不正確，例如 name@example.com。",
                en="Enter an e-mail address like name@example.com.",
            )
        ) from None


def clean_mobile(mobile: str) -> str:
    digits = re.sub(r"\D", "", normalise_digits(mobile)[:40])
    if digits.startswith("886"):
        digits = "0" + digits[3:]
    if not re.fullmatch(r"09\d{8}", digits):
        raise Refused(
            Text(zh="手機號碼不正確，例如 0912-345-678。", en="Enter a mobile number like 0912-345-678.")
        )
    return digits


def check_password(password: str) -> None:
    if not PASSWORD_LENGTH <= len(password) <= 1024:
        raise Refused(
            Text(
                zh=f"密碼至少要 {PASSWORD_LENGTH} 個字元，建議使用一句好記的話。",
                en=f"A password needs at least {PASSWORD_LENGTH} characters; a short sentence works well.",
            )
        )


def normalise_digits(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _masked(number: str) -> str:
    return f"{number[:4]}-***-{number[-3:]}"


def _audit(action: str, account_id: int, now: datetime) -> None:
    db.session.add(AuditEntry(at=now, actor_id=account_id, action=action))
