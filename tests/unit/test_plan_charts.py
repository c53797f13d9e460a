"""The pictures of plan control: what they draw, and that nothing in them can break out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from webapp.plans.charts import Bar, Curve, bars, s_curve

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
