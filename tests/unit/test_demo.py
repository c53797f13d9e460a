"""The demonstration shows a login for every desk that a case can come to."""

from __future__ import annotations

from collections import Counter

from webapp.demo import county


def test_every_function_of_every_unit_has_a_login_with_a_label_of_its_own() -> None:
    shown = {person["login"]: person["role"] for person in county()["shown"]}
    held = {
        (seat["unit"], seat["function"]): {
            person["login"]
            for person in county()["people"]
            for other in person["seats"]
            if (other["unit"], other["function"]) == (seat["unit"], seat["function"])
        }
        for each in county()["people"]
        for seat in each["seats"]
    }
    assert [desk for desk, logins in held.items() if not logins & set(shown)] == []
    known = {person["login"] for kind in ("people", "citizens") for person in county()[kind]}
    assert set(shown) <= known
    assert [role for role, count in Counter(shown.values()).items() if count > 1] == []
