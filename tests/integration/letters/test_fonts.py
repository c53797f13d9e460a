"""The vendored typefaces, and what they can draw."""

import struct

import pytest
from reportlab.pdfbase.ttfonts import TTFontFile

from webapp.letters import fonts

FILES = sorted(path for face in fonts.FACES for path in (face.regular, face.bold) if path)


def tables(data: bytes) -> set[str]:
    (count,) = struct.unpack(">H", data[4:6])
    return {data[12 + 16 * i : 16 + 16 * i].decode("ascii") for i in range(count)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_face_is_static_truetype_with_its_licence(path):
    found = tables(path.read_bytes())
    assert "glyf" in found
    assert not found & {"CFF ", "CFF2", "fvar", "gvar"}
    assert path.with_name(f"{path.stem.split('-Regular')[0].split('-Bold')[0]}-LICENSE.txt").is_file()


def test_no_two_files_share_a_postscript_name():
    """ReportLab would take the second for the first; the whole Sung face keeps its own name."""
    names = [TTFontFile(str(path)).name for path in FILES]
    assert len({*names, b"TW-Sung-Ext-B-98_1"}) == len(FILES) + 1


def test_every_vendored_face_is_used():
    assert sorted(fonts.HERE.glob("*.ttf")) == FILES


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("王𡍼堃、犇㨗", ()),
        ("□■①㎡臺 A1　\t\n", ()),
        ("豈\uf900", ()),
        ("好😀的😀☑", ("☑", "😀")),
        ("葛\U000e0100，\u200b\u202e\ufeff", ()),  # a variation selector and other marks have no shape
        ("\ud800", ("\ud800",)),
    ],
)
def test_missing(text, missing):
    assert fonts.missing(text) == missing


@pytest.mark.parametrize(
    ("character", "face"),
    [("王", "NotoSansTC"), ("㐁", "DroidFallback"), ("𡍼", "TWSungNames"), ("😀", "NotoSansTC")],
)
def test_face_of(character, face):
    assert fonts.face_of(character).name == face


def test_a_server_that_has_the_whole_sung_face_uses_it(monkeypatch, tmp_path):
    first, *_, names = fonts.FACES
    monkeypatch.setattr(fonts, "FACES", (first,))
    monkeypatch.setattr(fonts, "WHOLE_SUNG", names._replace(regular=tmp_path / "absent.ttf"))
    assert fonts.missing("王𡍼") == ("𡍼",)
    monkeypatch.setattr(fonts, "WHOLE_SUNG", names)
    assert fonts.missing("王𡍼") == ()


def test_code_point():
    assert fonts.code_point("😀") == "😀 (U+1F600)"
    assert fonts.code_point("\ud800") == "U+D800"
