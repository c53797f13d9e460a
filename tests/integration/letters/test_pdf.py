"""HTML to PDF: what is printed can be copied, and nothing comes in or leaks out."""

import logging
import threading
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO

import pypdf
import pytest

from tests.integration.letters.samples import READERS, copied, page, pages
from webapp.letters.pdf import MissingGlyphs, PdfError, render

SECRET = "身分證A123456789"


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize(
    "name",
    [
        "王𡍼明",  # beyond the basic plane, in the names face
        "林𤧟𠗟",  # beyond it, in the first face
        "陳堃犇",
        "吳㨗㛓",  # extension A
        "金\uf90a更\uf901",  # compatibility ideographs beside their twins
        "Nguyễn Văn É".replace(" ", ""),
    ],
)
@pytest.mark.parametrize("tag", ["p", "b"])
def test_names_survive_copying(name, tag, reader):
    assert reader(render(page(f"<{tag}>始{name}終</{tag}>"))) == f"始{name}終"


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_many_different_characters_survive_copying(reader):
    """More than one subset of 256, more than one block of 100 in its map."""
    text = "".join(chr(code) for code in range(0x4E00, 0x4E00 + 700)) + "𡍼" * 3
    assert reader(render(page(f"<p>{text}</p>"))) == text


def test_a_character_that_no_face_has_is_named():
    with pytest.raises(MissingGlyphs, match=r"😀 \(U\+1F600\)") as caught:
        render(page(f"<p>{SECRET}謝謝😀</p>"))
    assert caught.value.characters == ("😀",)
    assert SECRET not in str(caught.value)


def test_entities_are_looked_through():
    with pytest.raises(MissingGlyphs):
        render(page("<p>&#128512;</p>"))


def test_what_has_no_shape_is_left_out_and_a_wide_space_is_kept():
    pdf = render(page("<p>王\u200b大\ufeff明\u202e葛\U000e0100，甲\u3000乙</p>"))
    assert copied(pdf) == "王大明葛，甲乙"
    assert "甲 " in pages(pdf)[0]


def test_the_document_knows_its_title_and_language():
    pdf = render(page("<p>x</p>").replace("<head>", "<head><title>收據</title>"))
    found = pypdf.PdfReader(BytesIO(pdf))
    assert found.metadata.title == "收據"
    assert found.trailer["/Root"]["/Lang"] == "zh-Hant-TW"


# --- resources -------------------------------------------------------------------------------------------


@pytest.fixture
def listener():
    """A web server that remembers who asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    yield f"http://127.0.0.1:{server.server_port}/x", asked
    server.shutdown()
    server.server_close()


WAYS_IN = [
    '<img src="{}">',
    '<link rel="stylesheet" href="{}">',
    '<style>@import url("{}");</style><p>x</p>',
    '<style>@font-face {{ font-family: x; src: url("{}"); }} p {{ font-family: x }}</style><p>x</p>',
    '<style>@page {{ background-image: url("{}"); }}</style><p>x</p>',
    "<p style=\"background-image: url('{}')\">x</p>",
    '<pdf:insertpdf src="{}"/>',
    '<ul style="list-style-image: url({})"><li>x</li></ul>',
]


@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("address", ["file:///etc/passwd", "/etc/passwd", "../../../etc/passwd", "seal.py"])
def test_no_file_is_read(way_in, address, caplog, capfd):
    with pytest.raises(PdfError) as caught:
        render(page(way_in.format(address)))
    assert quiet(caught.value, caplog, capfd, "root:", "passwd")


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_no_address_is_asked(way_in, listener, caplog, capfd):
    address, asked = listener
    with pytest.raises(PdfError) as caught:
        render(page(way_in.format(address)))
    assert not asked
    assert quiet(caught.value, caplog, capfd, "127.0.0.1")


def test_a_file_with_a_secret_stays_shut(tmp_path, caplog, capfd):
    sheet = tmp_path / f"{SECRET}.css"
    sheet.write_text(f"p::before {{ content: '{SECRET}' }}")
    for address in (sheet.as_uri(), str(sheet)):
        with pytest.raises(PdfError) as caught:
            render(page(f'<link rel="stylesheet" href="{address}"><p>x</p>'))
        assert quiet(caught.value, caplog, capfd, SECRET, str(tmp_path))


def test_pictures_come_only_as_png_data():
    with pytest.raises(PdfError):
        render(page('<img src="data:image/svg+xml;base64,PHN2Zy8+">'))


# --- failures say nothing of the document ----------------------------------------------------------------


def quiet(error, caplog, capfd, *words):
    """Whether none of the words is in the error as a log would print it, in the log or on the screen."""
    said = "".join(capfd.readouterr()) + caplog.text + "".join(traceback.format_exception(error))
    return not any(word in said for word in words)


@pytest.mark.parametrize(
    "body",
    [
        f"<p style='font-family: nosuchface'>{SECRET}</p>",
        f"<table><tr><td rowspan='90'>{SECRET}</td><td>1</td></tr>" + "<tr><td>2</td></tr>" * 89 + "</table>",
        "<div>" * 300 + SECRET + "</div>" * 300,
        f"<table>{SECRET}</table>",
    ],
    ids=["unknown face", "too tall a cell", "too deep", "empty table"],
)
def test_a_document_that_would_come_out_wrong_is_refused_without_quoting_it(body, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(PdfError) as caught:
        render(page(body))
    assert quiet(caught.value, caplog, capfd, SECRET)


def test_after_a_failure_the_next_document_is_right():
    with pytest.raises(PdfError):
        render(page("<img src='/etc/passwd'>"))
    assert copied(render(page("<p>好。</p>"))) == "好。"


def test_threads_do_not_mix_documents():
    results = {}

    def work(number):
        results[number] = copied(render(page(f"<p>{chr(0x4E00 + number) * 200}</p>")))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: chr(0x4E00 + number) * 200 for number in range(4)}
