"""Field types of places on a map: one point, or the line of a stretch. Words do where nobody knows coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from forms.compound_types import Parts, text_of
from forms.field_type import CODE_LENGTH, Blank, FieldType, Given, Json, Setting, long_enough, one
from forms.messages import Invalid, Mistake, refuse
from forms.places import Point, points_in, read_points
from rules.values import Text

if TYPE_CHECKING:
    from forms.model import Field

MOST_POINTS = 200


class Place(Parts):
    """A place in words, and for those who know them its coordinates."""

    props = frozenset({"min_length", "max_length"})
    defaults: Mapping[str, object] = {"max_length": 1000}
    column = False
    #: the part of the coordinates
    spot = "point"

    def words_of(self, field: Field, given: Given) -> str:
        text = one(field, given, "description", limit=field.max_length or 1000)
        return long_enough(field, text, "description")

    def blank(self, field: Field) -> Blank:
        return Blank(f"座標（知道時填寫）：{'＿' * 24}", lines=3, wide=True)

    def show(self, field: Field, value: Json, lang: str) -> str:
        spot = text_of(value, self.spot)
        lines = [
            text_of(value, "description"),
            spot and (f"座標：{spot}" if lang == "zh" else f"Coordinates: {spot}"),
        ]
        return "\n".join(filter(None, lines))

    def points(self, value: Json) -> tuple[Point, ...]:
        return points_in(text_of(value, self.spot))

    def typed(self, field: Field, value: Json) -> object:
        return text_of(value, "description") or text_of(value, self.spot)


class Position(Place):
    """One point."""

    parts = ("description", "point")
    example = Text(zh="民生路 60 號前的人行道", en="the pavement in front of 60 Minsheng Road")

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        description, text = self.words_of(field, given), one(field, given, "point", limit=CODE_LENGTH)
        points = read_points(field.label, text, "point")
        if text and len(points) != 1:
            raise refuse(
                field.label,
                "{label}的座標只要一個點，目前有 {n} 個",
                "{label} takes the coordinates of one point, not of {n}",
                part="point",
                n=len(points),
            )
        value: dict[str, Json] = {"description": description, "point": "".join(points)}
        return {part: text for part, text in value.items() if text} or None


class Route(Place):
    """A stretch of road: its words are required, the points of its line are not."""

    parts = ("description", "line")
    spot = "line"
    example = Text(zh="從民生路 60 號前往東到復興路口", en="from 60 Minsheng Road eastwards to Fuxing Road")

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        description, line = self.words_of(field, given), one(field, given, "line", limit=MOST_POINTS * 30)
        if line and not description:
            raise Invalid([Mistake(m.text, "description") for m in self.missing(field).mistakes])
        if not line:
            return {"description": description} if description else None
        points = read_points(field.label, line, "line")
        if not 2 <= len(points) <= MOST_POINTS:
            raise refuse(
                field.label,
                "{label}的座標須有 2 到 {most} 個點，用分號隔開，目前有 {n} 個；不清楚可以空白",
                "{label}: the line needs 2 to {most} points, split by semicolons, not {n}; it may stay empty",
                part="line",
                most=MOST_POINTS,
                n=len(points),
            )
        return {"description": description, "line": "; ".join(points)}

    def sentence(self, field: Field, value: Json, lang: str) -> str:
        """The words; the points stand in the application."""
        description, points = text_of(value, "description"), len(text_of(value, "line").split(";"))
        if not text_of(value, "line"):
            return description
        return description + (
            f"（座標 {points} 點如申請書）" if lang == "zh" else f" ({points} points as in the application)"
        )


MAP_TYPES: dict[str, FieldType] = {"position": Position(), "route": Route()}
