"""The map from glyphs back to characters."""

import re

from webapp.letters.tounicode import cmap


def test_a_character_beyond_the_basic_plane_is_two_units():
    assert "<01> <D844DF7C>" in cmap("F", [0, 0x2137C])


def test_unused_codes_are_not_named():
    assert re.findall(r"^<..> <....>$", cmap("F", [0, 0, 0x738B]), re.M) == ["<02> <738B>"]


def test_no_block_is_longer_than_allowed():
    written = cmap("F", range(1, 257))
    blocks = re.findall(r"(\d+) beginbfchar\n(.*?)\nendbfchar", written, re.S)
    assert [int(count) for count, _ in blocks] == [100, 100, 56]
    assert [len(lines.splitlines()) for _, lines in blocks] == [100, 100, 56]
