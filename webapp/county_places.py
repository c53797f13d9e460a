"""In which township and village a point lies, by the borders that the map draws (static/map/kinmen.svg)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from forms.places import TOWNSHIPS, VILLAGES, Point
from rules.values import Text
from webapp.county_map import project

MAP = Path(__file__).parent / "static" / "map" / "kinmen.svg"
Ring = list[tuple[float, float]]


def place_of(point: Point) -> Text | None:
    """「金沙鎮何斗里」; the township alone where no village is drawn, nothing at sea."""
    spot = project(point)
    for town, rings in _borders():
        for ring, village in rings:
            if _inside(spot, ring):
                name = TOWNSHIPS[town]
                return Text(
                    zh=name.zh + (village.zh if village else ""),
                    en=f"{village.in_('en')}, {name.in_('en')}" if village else name.in_("en"),
                )
    return None


def township_of(point: Point) -> str | None:
    """Its code; nothing at sea."""
    spot = project(point)
    return next((town for town, rings in _borders() if any(_inside(spot, ring) for ring, _ in rings)), None)


def places_of(points: Sequence[Point]) -> list[Text]:
    """Those through which the points go, each once."""
    found = filter(None, map(place_of, points))
    return list({name.zh: name for name in found}.values())


@cache
def _borders() -> list[tuple[str, list[tuple[Ring, Text | None]]]]:
    """The drawing has a path for every township in their order, and the name of a village stands in its ring."""
    drawn = MAP.read_text(encoding="utf-8")
    named = drawn.partition('id="villages-zh"')[2].partition("</g>")[0]
    labels = [(zh, (float(x), float(y))) for x, y, zh in re.findall(r'x="(\d+)" y="(\d+)">([^<]+)<', named)]
    paths = re.findall(r'<path fill="#[^>]* d="([^"]+)"', drawn)
    found = []
    for (town, path), villages in zip(
        zip(TOWNSHIPS, paths, strict=True), (VILLAGES[key].values() for key in TOWNSHIPS), strict=True
    ):
        own = {village.zh: village for village in villages}
        rings = [_ring(text) for text in path.split("z") if text]
        found.append(
            (
                town,
                [(ring, _named(ring, [(own[zh], at) for zh, at in labels if zh in own])) for ring in rings],
            )
        )
    return found


def _named(ring: Ring, labels: list[tuple[Text, tuple[float, float]]]) -> Text | None:
    return next((name for name, at in labels if _inside(at, ring)), None)


def _ring(text: str) -> Ring:
    """From its first point by relative steps, as `tools/kinmen_map.py` writes them."""
    x, y, *steps = map(int, re.findall(r"-?\d+", text))
    ring = [(float(x), float(y))]
    for right, down in zip(steps[::2], steps[1::2], strict=True):
        ring.append((ring[-1][0] + right, ring[-1][1] + down))
    return [*ring, ring[0]]


def _inside(spot: tuple[float, float], ring: Ring) -> bool:
    """Whether a line from there to the east crosses the border an odd number of times."""
    x, y = spot
    crossings = sum(
        (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax)
        for (ax, ay), (bx, by) in pairwise(ring)
    )
    return crossings % 2 == 1
