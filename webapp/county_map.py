"""The county on paper: degrees of WGS84 to metres east and south of a corner, and the part of it that shows a place.

One scale serves all islands; at 烏坵, half a degree further north, a metre from west to east is drawn as 1.004.
`webapp/static/map/kinmen.svg` is drawn in these metres by `tools/kinmen_map.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Any, NamedTuple

from forms.places import AREAS, Point
from rules.values import Text

#: the corner in the north-west
NORTH, WEST = 25.1, 118.0
#: metres of a degree of latitude and of longitude at 24.45° north (GRS80)
DOWN, ACROSS = 110_765, 101_394
EARTH = 6_371_009

#: a picture is so many times as wide as it is high
SHAPE = 1.6
#: no picture of a place shows less, in metres
NEAREST = 5_000


class View(NamedTuple):
    """A part of the map, in its metres."""

    left: float
    top: float
    width: float
    height: float

    def __str__(self) -> str:
        """As the viewBox of an SVG."""
        return " ".join(f"{number:.0f}" for number in self)


def project(point: Point) -> tuple[float, float]:
    latitude, longitude = point
    return (longitude - WEST) * ACROSS, (NORTH - latitude) * DOWN


def unproject(x: float, y: float) -> Point:
    return NORTH - y / DOWN, WEST + x / ACROSS


def around(points: Sequence[Point], least: float = NEAREST) -> View:
    """The view with all the points well inside, in the shape of every picture."""
    across, down = zip(*map(project, points), strict=True)
    width = max(1.5 * (max(across) - min(across)), 1.5 * SHAPE * (max(down) - min(down)), least)
    left, top = (max(across) + min(across) - width) / 2, (max(down) + min(down) - width / SHAPE) / 2
    return View(left, top, width, width / SHAPE)


def drawn(points: Sequence[Point]) -> list[tuple[int, int]]:
    return [(round(x), round(y)) for x, y in map(project, points)]


def _frame(name: Text, south: float, north: float, west: float, east: float) -> tuple[Text, View]:
    left, top = project((north, west))
    right, bottom = project((south, east))
    width = max(right - left, SHAPE * (bottom - top))
    return name, View((left + right - width) / 2, (top + bottom - width / SHAPE) / 2, width, width / SHAPE)


#: where one goes by a button; the first is where a map without a place begins
FRAMES = (
    _frame(Text(zh="金門全圖", en="Kinmen"), 24.365, 24.545, 118.13, 118.515),
    _frame(Text(zh="金門本島", en="Main island"), 24.38, 24.54, 118.27, 118.515),
    _frame(Text(zh="烈嶼", en="Lieyu"), 24.398, 24.462, 118.215, 118.285),
    _frame(Text(zh="大膽、二膽", en="Dadan, Erdan"), 24.37, 24.4, 118.135, 118.18),
    _frame(Text(zh="東碇", en="Dongding"), 24.155, 24.17, 118.225, 118.243),
    _frame(Text(zh="烏坵", en="Wuqiu"), 24.97, 25.005, 119.435, 119.485),
)


def metres(points: Sequence[Point]) -> float:
    """The length of the line on the ground."""
    return sum(_apart(here, there) for here, there in pairwise(points))


def _apart(here: Point, there: Point) -> float:
    (north, east), (other_north, other_east) = (tuple(map(radians, point)) for point in (here, there))
    half = (
        sin((other_north - north) / 2) ** 2
        + cos(north) * cos(other_north) * sin((other_east - east) / 2) ** 2
    )
    return 2 * EARTH * asin(sqrt(half))


def length(points: Sequence[Point]) -> Text:
    """In words, as a map measures: to ten metres, or to a hundred where it is kilometres."""
    size = metres(points)
    if size < 1000:
        tens = max(round(size, -1), 10)
        return Text(zh=f"{tens:.0f} 公尺", en=f"{tens:.0f} m")
    return Text(zh=f"{size / 1000:.1f} 公里", en=f"{size / 1000:.1f} km")


#: what the script needs to draw and measure as here
MEASURES: dict[str, Any] = {
    "north": NORTH,
    "west": WEST,
    "down": DOWN,
    "across": ACROSS,
    "earth": EARTH,
    "shape": SHAPE,
    "nearest": NEAREST,
    "areas": AREAS,
}
