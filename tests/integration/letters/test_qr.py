"""QR codes."""

from io import BytesIO

import pytest
import segno
from PIL import Image

from webapp.letters.qr import qr_png


@pytest.mark.parametrize("text", ["https://counter.example/track?number=EC06-115-000123", "繁體中文", "1"])
def test_the_picture_shows_the_code_with_its_quiet_zone(text):
    code, scale, border = segno.make(text, error="m", micro=False), 8, 4
    picture = Image.open(BytesIO(qr_png(text))).convert("1")
    side = len(code.matrix) + 2 * border
    assert picture.size == (side * scale, side * scale)
    shown = [[not picture.getpixel((x * scale + 4, y * scale + 4)) for x in range(side)] for y in range(side)]
    inner = [row[border:-border] for row in shown[border:-border]]
    assert inner == [[bool(module) for module in row] for row in code.matrix]
    assert not any(any(row) for row in shown[:border] + shown[-border:])


def test_a_text_too_long_for_a_code():
    with pytest.raises(segno.DataOverflowError):
        qr_png("x" * 5000)
