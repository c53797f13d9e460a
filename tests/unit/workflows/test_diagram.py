"""The diagram: nothing overlaps, every edge holds on to its boxes, and the main path is the one that people mean."""

import itertools
import re
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import rules.facts
from webapp.cli import main
from workflows import diagram, drawing, loader, paths

FACTORY = loader.read_all()
read = ElementTree.fromstring
SVG = "{http://www.w3.org/2000/svg}"


def text(word):
    return {"zh": f"{word}的狀態名稱", "en": f"The state called {word}"}


def desk(key, *ways, function="officer"):
    actions = {
        f"{key}_{i}": {
            "label": text(f"去{to}"),
            "by": "task",
            "to": to,
            "style": style,
            "effects": ["stop_clock"],
        }
        for i, (to, style) in enumerate(ways)
    }
    task = {"key": key, "label": text(key), "function": function}
    return {
        "label": text(key),
        "citizen_label": text(key),
        "kind": "active",
        "tasks": [task],
        "transitions": actions,
    }


def end(key, outcome):
    return {"label": text(key), "citizen_label": text(key), "kind": "closed", "outcome": outcome}


def chain(length):
    """Approval level by level: each may pass on, decide, or send back one step and to the very beginning."""
    states = {}
    for level in range(length):
        up = (f"level_{level + 1}", "primary") if level + 1 < length else ("granted", "primary")
        back = [(f"level_{level - 1}", "secondary"), ("level_0", "secondary")] if level else []
        ends = [("granted", "primary"), ("rejected", "warning")]
        states[f"level_{level}"] = desk(f"level_{level}", ends[0], up, *back, ends[1])
    states |= {"granted": end("granted", "granted"), "rejected": end("rejected", "rejected")}
    return {"key": "chain", "code": "P99", "title": "陳核", "initial": "level_0", "states": states}


def tangle(size):
    """Every state leads to every other one and to itself."""
    keys = [f"state_{i}" for i in range(size)]
    states = {
        key: desk(
            key, *((to, "primary" if i == 0 else "secondary") for i, to in enumerate([*keys, "granted"]))
        )
        for key in keys
    }
    states["granted"] = end("granted", "granted")
    return {"key": "tangle", "code": "P98", "title": "糾結", "initial": keys[0], "states": states}


DEFINITIONS = {**FACTORY, "chain": chain(6), "one": chain(1), "tangle": tangle(5)}


def load(key):
    return loader.load(DEFINITIONS[key], facts=rules.facts.types())


@pytest.fixture(params=[(key, lang) for key in DEFINITIONS for lang in ("zh", "en")], ids="-".join)
def drawn(request):
    key, lang = request.param
    definition = load(key)
    here, *passed = reversed([k for k, s in definition.states.items() if s.kind != "closed"])
    return definition, diagram.layout(definition, lang, current=here, visited=passed)


def test_every_state_has_one_box_and_no_two_overlap(drawn):
    definition, picture = drawn
    assert sorted(box.state for box in picture.boxes) == sorted(definition.states)
    for a, b in itertools.combinations(picture.boxes, 2):
        apart = a.right < b.x or b.right < a.x or a.bottom < b.y or b.bottom < a.y
        assert apart, f"{a.state} and {b.state} overlap"
    assert all(box.x > 0 and box.right < picture.width for box in picture.boxes)
    assert all(box.y > 0 and box.bottom < picture.height for box in picture.boxes)


def test_text_stays_in_its_box_and_lines_do_not_touch(drawn):
    _, picture = drawn
    for box in picture.boxes:
        for label in box.labels:
            size = diagram.TITLE_SIZE if label.role == "title" else diagram.TEXT_SIZE
            assert box.x < label.x
            assert label.x + diagram.width_of(label.text, size) <= box.right
            assert box.y < label.y - size * 0.8 < label.y < box.bottom
        heights = [label.y for label in box.labels]
        assert all(below - above >= diagram.TEXT_SIZE for above, below in itertools.pairwise(heights))


def test_every_way_out_is_an_edge_from_its_box_to_its_target(drawn):
    definition, picture = drawn
    boxes = {box.state: box for box in picture.boxes}
    shared = paths.everywhere(definition)
    wanted = sorted(
        (state.key, way.target, way.name)
        for state in definition.states.values()
        for way in paths.exits(definition, state)
        if way.target and (way.name, way.target) not in shared
    )
    edges = picture.edges
    assert sorted((e.source, e.target, name) for e in edges for name in e.names) == wanted
    for edge in edges:
        assert on_border(boxes[edge.source], edge.points[0]), edge
        assert on_border(boxes[edge.target], edge.points[-1]), edge


def on_border(box, point):
    x, y = point
    inside = box.x <= x <= box.right and box.y <= y <= box.bottom
    return inside and (x in (box.x, box.right) or y in (box.y, box.bottom))


def test_no_edge_runs_through_a_box(drawn):
    _, picture = drawn
    for edge in picture.edges:
        for (ax, ay), (bx, by) in itertools.pairwise(edge.points):
            assert ax == bx or ay == by, "edges are upright or level"
            for box in picture.boxes:
                crosses = min(ax, bx) < box.right and max(ax, bx) > box.x
                crosses = crosses and min(ay, by) < box.bottom and max(ay, by) > box.y
                assert not crosses, f"{edge.source} → {edge.target} runs through {box.state}"
                assert all(0 < x < picture.width for x in (ax, bx))


def test_edges_to_different_states_never_share_a_lane(drawn):
    _, picture = drawn
    lanes = [e for e in picture.edges if e.side != "down"]
    for a, b in itertools.combinations(lanes, 2):
        if a.target == b.target or a.points[1][0] != b.points[1][0]:
            continue
        (a1, a2), (b1, b2) = (sorted((e.points[1][1], e.points[2][1])) for e in (a, b))
        assert a2 < b1 or b2 < a1, f"{a.source} → {a.target} lies on {b.source} → {b.target}"


def test_it_is_readable_on_a_telephone(drawn):
    definition, picture = drawn
    if definition.key in FACTORY:
        # 330 px of a 360 px screen: the smallest text is still set in 11 px
        assert diagram.TEXT_SIZE * 330 / picture.width > 11


def test_the_same_definition_is_drawn_the_same(drawn):
    definition, picture = drawn
    again = diagram.layout(definition, "en" if "workflow" in picture.title else "zh")
    plain = {box.state: (box.x, box.width, box.layer) for box in picture.boxes}
    assert plain == {box.state: (box.x, box.width, box.layer) for box in again.boxes}
    assert again == diagram.layout(definition, "en" if "workflow" in picture.title else "zh")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("single_review", ["review", "approve", "granted"]),
        ("parallel_co_review", ["review", "co_review", "consolidate", "approve", "granted"]),
        ("on_site_inspection", ["review", "schedule", "inspect", "approve", "granted"]),
        ("chain", [*(f"level_{i}" for i in range(6)), "granted"]),
    ],
)
def test_the_main_path_goes_by_the_primary_actions(key, expected):
    definition = paths.of_service(load(key), level=3, stages=()) if key in FACTORY else load(key)
    assert list(paths.main_path(definition)) == expected


def test_a_service_is_drawn_without_the_levels_and_stages_that_it_has_not():
    whole = load("single_review")
    plain = paths.of_service(whole, level=3, stages=())
    assert {"approve_department", "approve_magistrate", "awaiting_payment"}.isdisjoint(plain.states)
    assert "approve_magistrate" in paths.of_service(whole, level=1, stages=()).states
    assert "awaiting_payment" in paths.of_service(whole, level=3, stages=("fee",)).states
    assert "approve" not in paths.of_service(whole, level=4, stages=()).states
    assert "approve" in paths.of_service(whole, level=4, stages=(), keep={"approve"}).states


def test_the_main_path_leaves_out_what_the_facts_exclude():
    body = chain(3)
    going_up = body["states"]["level_0"]["transitions"]["level_0_1"]
    going_up["when"] = {"fact": "case.proposal", "op": "eq", "value": "grant"}
    definition = loader.load(body)
    assert paths.main_path(definition, {"case.proposal": "reject"}) == ("level_0", "granted")
    assert paths.main_path(definition) == ("level_0", "level_1", "level_2", "granted")


def test_side_states_lie_beside_where_they_begin():
    definition = paths.of_service(load("on_site_inspection"), level=3, stages=())
    order = paths.layers(definition, paths.main_path(definition))
    assert list(order)[:7] == [
        "review",
        "correction",
        "schedule",
        "inspect",
        "improvement",
        "conclude",
        "approve",
    ]
    assert order["correction"] == order["review"] == 0
    assert order["improvement"] == order["inspect"] == 2


def test_what_is_possible_everywhere_is_told_once():
    picture = diagram.layout(load("single_review"))
    withdrawn = next(box for box in picture.boxes if box.state == "withdrawn")
    assert [label.text for label in withdrawn.labels if label.role == "note"] == [
        "結案前隨時：申請人：撤回申請"
    ]
    assert not [edge for edge in picture.edges if edge.target == "withdrawn"]


def test_the_picture_is_labelled_and_obeys_the_policy(drawn):
    _, picture = drawn
    lang = "en" if "workflow" in picture.title else "zh"
    markup = drawing.svg(picture, lang)
    root = read(markup)
    assert root.get("role") == "img"
    ids = root.get("aria-labelledby").split()
    assert [root.find(f"{SVG}title").get("id"), root.find(f"{SVG}desc").get("id")] == ids
    assert root.find(f"{SVG}title").text == picture.title
    assert not re.search(r"style=|<style|<script|href|onload", markup)
    written = {each.text for each in root.iter(f"{SVG}text")}
    assert {label.text for box in picture.boxes for label in box.labels} <= written
    assert drawing.HERE.in_(lang) in written, "where it stands is said, not only coloured"
    signs = len(root.findall(f"{SVG}circle"))
    assert signs == len([box for box in picture.boxes if box.mark == "visited"])


def test_names_are_escaped():
    body = chain(1)
    body["states"]["level_0"]["label"] = "<b>審查</b> & 核定"
    markup = drawing.svg(diagram.layout(loader.load(body)))
    assert "&lt;b&gt;" in markup and "<b>" not in markup


def test_the_list_beside_it_says_the_same(drawn):
    definition, picture = drawn
    steps = diagram.outline(definition, current=picture.boxes[0].state)
    assert [step.label for step in steps] == [definition.states[box.state].label.zh for box in picture.boxes]
    assert steps[0].mark == "current"
    for box, step in zip(picture.boxes, steps, strict=True):
        assert len(step.ways) == len(paths.exits(definition, definition.states[box.state]))


def test_a_line_breaks_between_words_and_not_before_a_comma():
    assert diagram.wrapped("Send the correction now", 10, 60) == ("Send the", "correction", "now")
    assert diagram.wrapped("承辦審查，送主管", 10, 40) == ("承辦審", "查，送主", "管")


def test_the_command_draws_and_names_what_there_is():
    drawn = CliRunner().invoke(main, ["workflows", "draw", "single_review", "--lang", "en"])
    assert drawn.exit_code == 0
    assert read(drawn.output).find(f"{SVG}title").text == "Single review: workflow"
    refused = CliRunner().invoke(main, ["workflows", "draw", "nothing"])
    assert refused.exit_code == 1 and "single_review" in refused.output
