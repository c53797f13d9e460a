"""The pictures of plan control: what they draw, and that nothing in them can break out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from webapp.plans.charts import LATE, Bar, Curve, Series, bars, lines, s_curve, stacks

SVG = "{http://www.w3.org/2000/svg}"


def month(number: int) -> date:
    return date(2025 + (number - 1) // 12, (number - 1) % 12 + 1, 1)


def drawn(*planned: int, actual: tuple[int, ...] = (), lag: bool = True) -> ElementTree.Element:
    shares = [(month(n), Decimal(share)) for n, share in enumerate(planned, start=1)]
    done = [(month(n), Decimal(share)) for n, share in enumerate(actual, start=1)]
    newest = (done[-1][0], shares[len(done) - 1][1], done[-1][1], "落後 <9>") if lag and done else None
    curve = Curve("c", "曲線 <&>", "說明", shares, done, "預定", "實際", newest)
    return ElementTree.fromstring(s_curve(curve))  # noqa: S314  # drawn here


def texts(root: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{SVG}text")]


def test_a_curve_with_its_lag() -> None:
    root = drawn(10, 50, 100, actual=(10, 40))
    assert root.find(f"{SVG}title").text == "曲線 <&>"  # type: ignore[union-attr]
    assert texts(root)[-1] == "落後 <9>" and "114.01" in texts(root) and "預定" in texts(root)
    assert "實際" in texts(root) and "實際" not in texts(drawn(10, 50, 100))
    assert len([c for c in root.iter(f"{SVG}circle") if c.get("fill") == "#0f3d50"]) == 2
    bar = next(p for p in root.iter(f"{SVG}path") if p.get("stroke-width") == "4")
    assert bar.get("stroke") == "#9a1b14"


@pytest.mark.parametrize(
    ("planned", "actual"), [((80,), (80,)), ((10, 100), ()), (tuple(range(1, 61)), (1, 2)), ((5,), (9,))]
)
def test_few_and_many_months_stay_inside(planned: tuple[int, ...], actual: tuple[int, ...]) -> None:
    root = drawn(*planned, actual=actual)
    for each in root.iter(f"{SVG}circle"):
        assert 48 <= float(each.get("cx", "")) <= 636 and 16 <= float(each.get("cy", "")) <= 264
    assert len([text for text in texts(root) if "." in text]) <= 13


def test_bars_say_shape_and_count_beside_the_colour() -> None:
    rows = [Bar("工務處", {"red": 2, "green": 5}), Bar("A & B", {"none": 7}), Bar("空", {})]
    root = ElementTree.fromstring(bars("b", "題", "說明", rows))  # noqa: S314  # drawn here
    assert texts(root) == ["工務處", "▲2", "●5", "A & B", "…7", "空"]
    widths = [float(rect.get("width", "")) for rect in root.iter(f"{SVG}rect")]
    assert widths[0] / widths[1] == pytest.approx(2 / 5, rel=1e-3) and sum(widths[:2]) == pytest.approx(
        widths[2], rel=1e-3
    )


@pytest.mark.parametrize("count", [0, 1, 12, 24])
def test_a_column_a_month_stays_inside(count: int) -> None:
    rows = [Bar(f"114.{n:02}", {"red": n, "green": 10_000, "none": 0}) for n in range(1, count + 1)]
    root = ElementTree.fromstring(stacks("s", "題 <&>", "說明", rows))  # noqa: S314  # drawn here
    columns = list(root.iter(f"{SVG}rect"))
    assert len(columns) == 2 * count
    for each in columns:
        top, high = float(each.get("y", "")), float(each.get("height", ""))
        assert top >= 16 and top + high <= 264.01
    assert len([text for text in texts(root) if text.startswith("114.")]) <= 13


def test_the_worst_light_is_at_the_bottom_of_a_column() -> None:
    root = ElementTree.fromstring(stacks("s", "題", "說明", [Bar("x", {"green": 3, "red": 1})]))  # noqa: S314
    red, green = root.iter(f"{SVG}rect")
    assert float(red.get("y", "")) > float(green.get("y", ""))
    assert {"▲1", "●3"} <= set(texts(root)) and {"0", "1", "2", "3", "4"} <= set(texts(root))


def test_lines_leave_gaps_out_and_their_names_apart() -> None:
    values = [Decimal(1), None, Decimal(3)]
    series = [Series("預定", values, LATE, dashes=True), Series("支用", values, LATE)]
    root = ElementTree.fromstring(lines("l", "題", "說明", ["1月", "2月", "3月"], series, "%"))  # noqa: S314
    assert len(list(root.iter(f"{SVG}circle"))) == 4
    ends = [float(t.get("y", "")) for t in root.iter(f"{SVG}text") if t.text in ("預定", "支用")]
    assert abs(ends[0] - ends[1]) >= 16


@pytest.mark.parametrize("most", ["0", "0.03", "7", "100", "9999"])
def test_the_scale_reaches_the_highest_value(most: str) -> None:
    root = ElementTree.fromstring(lines("l", "題", "說明", ["a"], [Series("b", [Decimal(most)], LATE)], ""))  # noqa: S314
    (point,) = root.iter(f"{SVG}circle")
    assert 16 <= float(point.get("cy", "")) <= 264
