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
    #: planned curves that were in force before, and what they are called
    before: Sequence[Sequence[tuple[date, Decimal]]] = ()
    before_word: str = ""


def s_curve(curve: Curve) -> str:
    """The planned curve broken, those before dotted, the actual one whole, and a bar for the newest lag."""
    drawn = (*curve.planned, *curve.actual, *(point for each in curve.before for point in each))
    months = sorted({month for month, _share in drawn})
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
    for earlier in curve.before:
        yield from _line([(x(m), y(s)) for m, s in earlier], SOFT, ' stroke-dasharray="2 4"')
    if curve.before and curve.before[0]:
        month, share = curve.before[0][len(curve.before[0]) // 2]
        yield _text(x(month) - 6, y(share) - 6, curve.before_word, SOFT, "end")
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


def stacks(name: str, title: str, description: str, rows: Sequence[Bar]) -> str:
    """One column a month, its lights upon one another in the order of the words, each with its count where it fits."""
    most = max((sum(row.lights.values()) for row in rows), default=1) or 1
    return _svg(name, title, description, HEIGHT, _stacks(rows, most))


def _stacks(rows: Sequence[Bar], most: int) -> Iterator[str]:
    top = Decimal(-(-most // 4) * 4) if most <= 20 else _round_up(Decimal(most))
    yield from _scale(top, "")
    room = (WIDTH - LEFT - 16) / max(len(rows), 1)
    wide = min(room * 0.72, 56)
    step = max(-(-len(rows) // MOST_TICKS), 1)
    for number, row in enumerate(rows):
        middle, at = LEFT + room * (number + 0.5), float(HEIGHT - BOTTOM)
        for key, light in LIGHTS.items():
            count = row.lights.get(key, 0)
            if not count:
                continue
            high = (HEIGHT - TOP - BOTTOM) * count / float(top)
            at -= high
            yield (
                f'<rect x="{middle - wide / 2:g}" y="{at:g}" width="{wide:g}" height="{high:g}" '
                f'fill="{light.fill}" stroke="#5f7077"/>'
            )
            said = f"{light.sign}{count}"
            if high >= 14 and wide >= width_of(said, 12):
                yield _text(middle, at + high / 2 + 4, said, light.ink, "middle")
        if number % step == 0:
            yield _text(middle, HEIGHT - BOTTOM + 18, row.label, SOFT, "middle")


@dataclass(frozen=True)
class Series:
    """A line of values, one a month; none where there is none."""

    word: str
    values: Sequence[Decimal | None]
    colour: str
    dashes: bool = False


def lines(
    name: str, title: str, description: str, labels: Sequence[str], series: Sequence[Series], unit: str
) -> str:
    """Several lines over the same months, each named at its end."""
    return _svg(name, title, description, HEIGHT, _lines(labels, series, unit))


def _lines(labels: Sequence[str], series: Sequence[Series], unit: str) -> Iterator[str]:
    top = _round_up(max((v for each in series for v in each.values if v is not None), default=Decimal(1)))
    yield from _scale(top, unit)
    room = (WIDTH - LEFT - RIGHT) / max(len(labels) - 1, 1)

    def x(number: int) -> float:
        return LEFT + room * number

    def y(value: Decimal) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - float(value) / float(top))

    for number in range(0, len(labels), max(-(-len(labels) // MOST_TICKS), 1)):
        yield _text(x(number), HEIGHT - BOTTOM + 18, labels[number], SOFT, "middle")
    ends: list[float] = []
    for each in series:
        drawn = [(x(n), y(value)) for n, value in enumerate(each.values) if value is not None]
        yield from _line(drawn, each.colour, ' stroke-dasharray="7 5"' if each.dashes else "")
        for across, down in drawn:
            yield f'<circle cx="{across:g}" cy="{down:g}" r="4" fill="{each.colour}"/>'
        if drawn:
            across, down = drawn[-1]
            # the words of two lines that end together stand below one another
            while any(abs(down - other) < 16 for other in ends):
                down += 16
            ends.append(down)
            yield _text(across + 8, down + 4, each.word, each.colour)


def _scale(top: Decimal, unit: str) -> Iterator[str]:
    """Five levels from nothing to the top."""
    for quarter in range(5):
        down = TOP + (HEIGHT - TOP - BOTTOM) * (1 - quarter / 4)
        value = top * quarter / 4
        yield f'<path d="M{LEFT} {down:g}H{WIDTH - 16}" stroke="{GRID}"/>'
        yield _text(LEFT - 6, down + 4, f"{value.normalize() + 0:f}{unit}", SOFT, "end")


def _round_up(most: Decimal) -> Decimal:
    """The next figure whose quarters are short: 4, 8, 12, 20, 40 and so on."""
    power = Decimal(10) ** (most.adjusted() - 1 if most else 0)
    return next(
        power * step for step in (10, 12, 16, 20, 24, 32, 40, 48, 60, 80, 100) if power * step >= most
    )


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
