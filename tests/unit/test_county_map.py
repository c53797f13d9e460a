"""The map: degrees and metres, what a picture shows, and the drawing that the pages use."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from forms.places import AREAS, TOWNSHIPS, VILLAGES, Point, in_the_county, points_in
from webapp import county_map, county_places

DRAWING = Path(county_map.__file__).parent / "static" / "map" / "kinmen.svg"
SVG = "{http://www.w3.org/2000/svg}"
OFFICE = (24.4321, 118.3171)
WUQIU = (24.9914, 119.4511)


@pytest.mark.parametrize("point", [OFFICE, WUQIU, (24.25, 118.6)])
def test_a_place_comes_back_from_the_map(point: Point) -> None:
    x, y = county_map.project(point)
    assert county_map.unproject(x, y) == pytest.approx(point, abs=1e-9)
    assert county_map.unproject(x + 1, y + 1) != pytest.approx(point, abs=1e-6), "a metre is seen"


@pytest.mark.parametrize(
    ("name", "point", "inside"),
    [
        ("金城", OFFICE, True),
        ("料羅外海", (24.36, 118.45), True),
        ("大膽", (24.3898, 118.1659), True),
        ("東碇", (24.1621, 118.2338), True),
        ("烏坵", WUQIU, True),
        ("廈門", (24.4798, 118.0894), False),
        ("鼓浪嶼", (24.447, 118.065), False),
        ("大嶝", (24.56, 118.33), False),
        ("澎湖", (23.57, 119.58), False),
        ("臺北", (25.0375, 121.5637), False),
    ],
)
def test_what_lies_in_the_county(name: str, point: Point, inside: bool) -> None:
    assert in_the_county(*point) is inside, name


def test_a_line_is_as_long_as_on_the_ground() -> None:
    assert county_map.metres([(24.4, 118.3), (24.5, 118.3)]) == pytest.approx(11_077, rel=0.005)
    assert county_map.metres([(24.4, 118.3), (24.4, 118.4)]) == pytest.approx(10_143, rel=0.005)
    assert county_map.metres([OFFICE]) == 0
    there = county_map.length([OFFICE, (24.433, 118.318)])
    assert (there.zh, there.in_("en")) == ("140 公尺", "140 m")
    assert county_map.length([OFFICE, OFFICE]).zh == "10 公尺"
    assert county_map.length([(24.4, 118.3), (24.5, 118.3)]).zh == "11.1 公里"


@pytest.mark.parametrize("text", ["24.4321,118.3171", "24.4,118.3; 24.5,118.3", "24.44,118.22;24.44,118.48"])
def test_a_picture_shows_all_of_an_answer(text: str) -> None:
    points = points_in(text)
    view = county_map.around(points)
    assert view.width >= county_map.NEAREST and view.width == pytest.approx(county_map.SHAPE * view.height)
    for x, y in county_map.drawn(points):
        assert view.left + view.width / 10 < x < view.left + 0.9 * view.width
        assert view.top + view.height / 10 < y < view.top + 0.9 * view.height


def test_every_frame_is_in_the_shape_of_the_map_and_about_the_county() -> None:
    for name, view in county_map.FRAMES:
        assert view.width == pytest.approx(county_map.SHAPE * view.height), name
        assert in_the_county(*county_map.unproject(view.left + view.width / 2, view.top + view.height / 2)), (
            name
        )


def test_the_drawing_has_every_township_and_village_where_the_answers_may_lie() -> None:
    drawing = ElementTree.parse(DRAWING).getroot()  # noqa: S314  # our own file
    groups = {group.get("id"): group for group in drawing.iter(f"{SVG}g")}
    texts = {key: [text.text for text in group] for key, group in groups.items() if key != "land"}
    assert {name.zh for name in TOWNSHIPS.values()} <= set(texts["towns-zh"])
    assert {name.zh for found in VILLAGES.values() for name in found.values()} <= set(texts["villages-zh"])
    assert "Jincheng" in texts["towns-en"] and "Gucheng" in texts["villages-en"]
    outlines = [shape.get("d", "") for shape in groups["land"]]
    assert len(outlines) == len(TOWNSHIPS) + 1
    for x, y in corners(outlines):
        assert in_the_county(*county_map.unproject(x, y)), (x, y)


def corners(outlines: list[str]) -> list[tuple[float, float]]:
    """The first corner of every ring."""
    return [(float(x), float(y)) for d in outlines for x, y in re.findall(r"M(\d+) (\d+)l", d)]


def test_the_areas_touch_each_other_but_for_wuqiu() -> None:
    """Nobody who follows the coast of 烈嶼 to 大膽 leaves the county on the way."""
    kinmen, dadan, dongding, wuqiu = AREAS
    assert dadan[3] > kinmen[2] and dongding[1] == kinmen[0] and wuqiu[2] > kinmen[3]
    ferry = [(24.4216, 118.2311), (24.4, 118.205), (24.3898, 118.1659)]
    for (north, east), (other_north, other_east) in pairwise(ferry):
        assert in_the_county((north + other_north) / 2, (east + other_east) / 2)


@pytest.mark.parametrize(
    ("point", "place"),
    [
        ((24.460005, 118.399490), "金沙鎮"),
        ((24.4345, 118.3186), "金城鎮"),
        ((24.4330, 118.2400), "烈嶼鄉"),
        ((24.9920, 119.4510), "烏坵鄉"),
    ],
)
def test_a_point_is_named_by_its_township(point: tuple[float, float], place: str) -> None:
    found = county_places.place_of(point)
    assert found is not None and found.zh.startswith(place), found
    assert TOWNSHIPS[next(key for key, name in TOWNSHIPS.items() if name.zh == place)].in_("en") in found.in_(
        "en"
    )


def test_every_village_is_found_on_the_map_and_the_sea_has_no_name() -> None:
    named = {
        village.zh
        for _town, rings in county_places._borders()
        for _ring, village in rings
        if village is not None
    }
    every = {village.zh for villages in VILLAGES.values() for village in villages.values()}
    assert named == every
    assert county_places.place_of((24.30, 118.30)) is None
    assert [
        each.zh for each in county_places.places_of([(24.30, 118.30), (24.46, 118.39949), (24.46, 118.399)])
    ] == ["金沙鎮何斗里"]
