"""Encryption of personal answers, keyed hashes to find them again, and passwords.

Keys come from ECOUNTER_DATA_KEY: one or more base64 keys of 32 bytes, separated by commas. The first one encrypts;
the others still decrypt, so that a key can be replaced without a stop.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
FINGERPRINT = 4

_hasher = PasswordHasher()
_keys: dict[bytes, AESGCM] = {}
_current = b""
_index_key = b""


class DataKeyError(RuntimeError):
    """The data key is malformed, or a record was encrypted with a key that is no longer configured."""


def configure(data_key: str) -> None:
    global _current, _index_key
    keys = [base64.b64decode(part.strip()) for part in data_key.split(",") if part.strip()]
    if not keys or any(len(key) != 32 for key in keys):
        raise DataKeyError("ECOUNTER_DATA_KEY must hold base64 keys of 32 bytes")
    _keys.clear()
    for key in keys:
        _keys[_fingerprint(key)] = AESGCM(key)
    _current = _fingerprint(keys[0])
    # The index key comes from the oldest key: hashes must survive a rotation.
    _index_key = hashlib.sha256(b"index" + keys[-1]).digest()


def new_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def _fingerprint(key: bytes) -> bytes:
    return hashlib.sha256(b"fingerprint" + key).digest()[:FINGERPRINT]


def encrypt(value: Any) -> bytes:
    """Any JSON value."""
    return seal(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def decrypt(blob: bytes) -> Any:
    return json.loads(unseal(blob).decode("utf-8", "surrogatepass"))


def seal(plain: bytes) -> bytes:
    """Key fingerprint, nonce, AES-GCM text."""
    nonce = os.urandom(NONCE)
    return _current + nonce + _keys[_current].encrypt(nonce, plain, _current)


def unseal(blob: bytes) -> bytes:
    mark, nonce, body = (
        blob[:FINGERPRINT],
        blob[FINGERPRINT : FINGERPRINT + NONCE],
        blob[FINGERPRINT + NONCE :],
    )
    try:
        return _keys[mark].decrypt(nonce, body, mark)
    except (KeyError, InvalidTag):
        raise DataKeyError("a record cannot be decrypted with the configured keys") from None


def keyed_hash(text: str, purpose: str = "index") -> str:
    """Finds an encrypted value again without revealing it. The purpose keeps indexes from being joined."""
    return hmac.new(_index_key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def password_matches(stored: str | None, password: str) -> bool:
    """Takes the same time for an unknown account as for a wrong password."""
    try:
        return _hasher.verify(stored or _decoy(), password) and stored is not None
    except (Argon2Error, InvalidHashError):
        return False


_decoy_hash = ""


def _decoy() -> str:
    global _decoy_hash
    if not _decoy_hash:
        _decoy_hash = _hasher.hash(secrets.token_hex())
    return _decoy_hash


#: no vowels and no look-alikes: a code is read aloud over the telephone
_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"


def public_id() -> str:
    return secrets.token_urlsafe(12)


def numeric_code(digits: int = 6) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(digits))


def follow_code(case_public_id: str) -> str:
    """The code with which an application without an account is followed; derived, so that it is never stored."""
    digest = hmac.new(_index_key, b"follow\0" + case_public_id.encode(), hashlib.sha256).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:10])
