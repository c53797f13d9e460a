"""Pictures of plan control as SVG, with presentation attributes only: they stand under the page's policy and print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

from webapp.plans.words import LIGHTS
from workflows.diagram import width_of

INK, SOFT, GRID, PLANNED, ACTUAL, LATE = "#0b0c0c", "#3f4a4d", "#d7dfe2", "#3b6a80", "#0f3d50", "#9a1b14"
FONT = "Noto Sans TC, PingFang TC, Microsoft JhengHei, sans-serif"
WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 84, 16, 36
MOST_TICKS = 13


@dataclass(frozen=True)
class Curve:
    """Planned and actual shares by month; the words are ready to be read."""

    name: str
    title: str
    description: str
    planned: Sequence[tuple[date, Decimal]]
    actual: Sequence[tuple[date, Decimal]]
    planned_word: str
    actual_word: str
    #: of the newest report: month, planned, actual, and a few words for the bar between them
    lag: tuple[date, Decimal, Decimal, str] | None = None


def s_curve(curve: Curve) -> str:
    """The planned curve broken, the actual one whole, and a bar for the lag at the newest report."""
    months = sorted({month for month, _share in (*curve.planned, *curve.actual)})
    if curve.lag is not None:
        months = sorted({*months, curve.lag[0]})
    return _svg(curve.name, curve.title, curve.description, HEIGHT, _curve(curve, months))


def _curve(curve: Curve, months: Sequence[date]) -> Iterator[str]:
    alone = len(months) == 1
    first = _count(months[0]) - alone
    span = _count(months[-1]) - first + alone

    def x(month: date) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (_count(month) - first) / span

    def y(share: Decimal) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - float(share) / 100)

    for share in (0, 25, 50, 75, 100):
        at = y(Decimal(share))
        yield f'<path d="M{LEFT} {at:g}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
        yield _text(LEFT - 6, at + 4, f"{share}%", SOFT, "end")
    step = -(-len(months) // MOST_TICKS)
    for month in months[::step]:
        yield _text(x(month), HEIGHT - BOTTOM + 18, f"{month.year - 1911}.{month.month:02}", SOFT, "middle")
    yield from _line([(x(m), y(s)) for m, s in curve.planned], PLANNED, ' stroke-dasharray="7 5"')
    yield from _line([(x(m), y(s)) for m, s in curve.actual], ACTUAL, "")
    for month, share in curve.actual:
        yield f'<circle cx="{x(month):g}" cy="{y(share):g}" r="4" fill="{ACTUAL}"/>'
    if curve.actual:
        month, share = curve.actual[-1]
        ahead = curve.lag is not None and curve.lag[2] > curve.lag[1]
        yield _text(x(month) + 8, y(share) + (-8 if ahead else 20), curve.actual_word, ACTUAL)
    if curve.planned:
        month, share = curve.planned[-1]
        yield _text(x(month) + 6, y(share) + 4, curve.planned_word, PLANNED)
    if curve.lag is not None:
        month, planned, actual, said = curve.lag
        at = x(month)
        if planned != actual:
            colour = LATE if planned > actual else ACTUAL
            yield f'<path d="M{at:g} {y(planned):g}V{y(actual):g}" stroke="{colour}" stroke-width="4"/>'
        yield f'<circle cx="{at:g}" cy="{y(planned):g}" r="4" fill="#fff" stroke="{PLANNED}" stroke-width="2"/>'
        middle = (y(planned) + y(actual)) / 2
        yield _text(at + 8, middle + 4, said, LATE if planned > actual else INK, bold=True)


def _line(points: Sequence[tuple[float, float]], colour: str, dashes: str) -> Iterator[str]:
    if len(points) > 1:
        path = "L".join(f"{x:g} {y:g}" for x, y in points)
        yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.5"{dashes}/>'


@dataclass(frozen=True)
class Bar:
    label: str
    #: light -> count
    lights: dict[str, int]


def bars(name: str, title: str, description: str, rows: Sequence[Bar]) -> str:
    """One bar a unit, its lights beside one another, each with its shape and count."""
    height = 30 * len(rows) + 8
    most = max((sum(row.lights.values()) for row in rows), default=1) or 1
    return _svg(name, title, description, height, _bars(rows, most))


def _bars(rows: Sequence[Bar], most: int) -> Iterator[str]:
    left = max((width_of(row.label, 14) for row in rows), default=0) + 16
    for number, row in enumerate(rows):
        top, at = 30 * number + 4, left
        yield _text(left - 8, top + 16, row.label, INK, "end", size=14)
        for key, light in LIGHTS.items():
            count = row.lights.get(key, 0)
            if not count:
                continue
            wide = (WIDTH - left - 10) * count / most
            yield (
                f'<rect x="{at:g}" y="{top}" width="{wide:g}" height="22" fill="{light.fill}" stroke="#5f7077"/>'
            )
            if wide >= 34:
                yield _text(at + wide / 2, top + 16, f"{light.sign}{count}", light.ink, "middle", size=13)
            at += wide


def _svg(name: str, title: str, description: str, height: int, parts: Iterator[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="app-chart" role="img" viewBox="0 0 {WIDTH} {height}" '
            f'aria-labelledby="{name}-title {name}-description" font-family="{FONT}">',
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-description">{escape(description)}</desc>',
            *parts,
            "</svg>",
        ]
    )


def _text(
    x: float, y: float, words: str, colour: str, anchor: str = "start", *, size: int = 12, bold: bool = False
) -> str:
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{weight}>'
        f"{escape(words)}</text>"
    )


def _count(month: date) -> int:
    return month.year * 12 + month.month
