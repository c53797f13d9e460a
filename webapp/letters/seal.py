"""The red seal of a letter, drawn from its words: a picture, so that its upright columns are not copied as text."""

from functools import cache, lru_cache
from io import BytesIO
from math import ceil, sqrt
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from webapp.letters.fonts import face_of

_RED = (176, 32, 32)
_CELL = 96  # pixels a character


@lru_cache(maxsize=64)
def seal_png(words: str) -> bytes:
    """An official seal: columns from right to left, read downwards, in a double frame."""
    per_column = ceil(sqrt(len(words)))
    columns = [words[i : i + per_column] for i in range(0, len(words), per_column)]
    side = per_column * _CELL
    inset = 28
    picture = Image.new("RGB", (side + 2 * inset, side + 2 * inset), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, picture.width - 1, picture.height - 1), outline=_RED, width=10)
    draw.rectangle((14, 14, picture.width - 15, picture.height - 15), outline=_RED, width=3)
    width = side / len(columns)
    for number, column in enumerate(columns):
        left = side - (number + 1) * width
        for row, character in enumerate(column):
            height = side / len(column)
            _stretch(picture, character, (inset + left, inset + row * height, width, height))
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _stretch(picture: Image.Image, character: str, cell: tuple[float, float, float, float]) -> None:
    """Draw one character so that it fills its cell, as engravers do."""
    face = face_of(character)
    font = _font(face.bold or face.regular)
    boxes = [font.getbbox(character), font.getbbox("國")]  # 一 is not to be stretched into a block
    left, top = (min(box[i] for box in boxes) for i in (0, 1))
    right, bottom = (max(box[i] for box in boxes) for i in (2, 3))
    glyph = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(glyph).text((-left, -top), character, font=font, fill=255)
    x, y, width, height = cell
    size = (round(width * 0.88), round(height * 0.88))
    at = (round(x + width * 0.06), round(y + height * 0.06))
    picture.paste(Image.new("RGB", size, _RED), at, glyph.resize(size, Image.Resampling.LANCZOS))


@cache
def _font(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), _CELL)
