"""A diagram as SVG, with presentation attributes only: it stands alone, and a page may hold it under its policy."""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from rules.values import Text
from workflows.diagram import TEXT_SIZE, TITLE_SIZE, Box, Diagram, Edge, Label, Point, width_of

INK, SOFT, HEADER, LINE, EDGE = "#0b0c0c", "#3f4a4d", "#0f3d50", "#8a979b", "#5f7077"
PAPER, PASSED, NOW, ENDED = "#ffffff", "#e9f1f4", "#fdf0d2", "#f6f9f9"
FONT = "Noto Sans TC, PingFang TC, Microsoft JhengHei, sans-serif"
HERE = Text(zh="目前在這裡", en="Now here")
RADIUS = 6.0


def svg(diagram: Diagram, lang: str = "zh") -> str:
    """One <svg> element, labelled by its title and its description."""
    named = [f"flow-{diagram.key}-{part}" for part in ("title", "description")]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="app-flow" role="img" '
        f'aria-labelledby="{" ".join(named)}" viewBox="0 0 {diagram.width:g} {diagram.height:g}" '
        f'width="{diagram.width:g}" height="{diagram.height:g}" font-family={quoteattr(FONT)}>',
        f'<title id="{named[0]}">{escape(diagram.title)}</title>',
        f'<desc id="{named[1]}">{escape(diagram.description)}</desc>',
        *(_edge(edge) for edge in sorted(diagram.edges, key=lambda edge: edge.side == "down")),
        *(line for box in diagram.boxes for line in _box(box, lang)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _box(box: Box, lang: str) -> Iterator[str]:
    fill = {"current": NOW, "visited": PASSED}.get(box.mark, ENDED if box.kind == "closed" else PAPER)
    stroke = HEADER if box.mark or box.main else LINE
    thick = 3 if box.mark == "current" else 1.5
    dashes = ' stroke-dasharray="6 4"' if box.kind == "correction" else ""
    round_ = 11 if box.kind == "closed" else RADIUS
    yield (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="{round_:g}" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="{thick}"{dashes}/>'
    )
    if box.rule:
        yield f'<path d="M{box.x + 12:g} {box.rule:g}H{box.right - 12:g}" stroke="{LINE}" stroke-width="0.75"/>'
    for label in box.labels:
        yield _label(label)
    for y in box.onward:
        x = box.right - 20
        yield (
            f'<path d="M{x:g} {y - 5:g}v9m-4 -4l4 4.5l4 -4.5" fill="none" stroke="{HEADER}" stroke-width="2" '
            f'stroke-linejoin="round"/>'
        )
    if box.mark == "current":
        text = HERE.in_(lang)
        wide = width_of(text, 12) + 16
        left, top = box.right - wide - 10, box.y - 11
        yield f'<rect x="{left:g}" y="{top:g}" width="{wide:g}" height="20" rx="10" fill="{HEADER}"/>'
        yield (
            f'<text x="{left + wide / 2:g}" y="{top + 14.5:g}" font-size="12" font-weight="700" '
            f'text-anchor="middle" fill="{PAPER}">{escape(text)}</text>'
        )
    elif box.mark == "visited":
        x, y = box.right - 20, box.entry
        yield f'<circle cx="{x:g}" cy="{y:g}" r="9" fill="{HEADER}"/>'
        yield (
            f'<path d="M{x - 4.5:g} {y:g}l3 3.5l6 -7" fill="none" stroke="{PAPER}" stroke-width="2" '
            f'stroke-linecap="round" stroke-linejoin="round"/>'
        )


def _label(label: Label) -> str:
    size = TITLE_SIZE if label.role == "title" else TEXT_SIZE
    weight = ' font-weight="700"' if label.role == "title" else ""
    fill = INK if label.role in ("title", "exit") else SOFT
    return (
        f'<text x="{label.x:g}" y="{label.y:g}" font-size="{size:g}"{weight} fill="{fill}">'
        f"{escape(label.text)}</text>"
    )


def _edge(edge: Edge) -> str:
    colour, thick = (HEADER, 3) if edge.side == "down" else (EDGE, 1.5)
    return (
        f'<path d="{_line(edge.points)}" fill="none" stroke="{colour}" stroke-width="{thick}"/>\n'
        f'<path d="{_head(edge)}" fill="{colour}"/>'
    )


def _line(points: tuple[Point, ...]) -> str:
    """Straight lines with rounded corners: a corner joins a lane, a crossing does not."""
    parts = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        a, b = _towards(corner, before), _towards(corner, after)
        parts.append(f"L{a[0]:g} {a[1]:g}Q{corner[0]:g} {corner[1]:g} {b[0]:g} {b[1]:g}")
    return "".join(parts) + f"L{points[-1][0]:g} {points[-1][1]:g}"


def _towards(corner: Point, other: Point) -> Point:
    """A few steps from a corner along a straight line."""
    (x, y), dx, dy = corner, other[0] - corner[0], other[1] - corner[1]
    step = min(5.0, (abs(dx) + abs(dy)) / 2)
    return x + (dx > 0) * step - (dx < 0) * step, y + (dy > 0) * step - (dy < 0) * step


def _head(edge: Edge) -> str:
    x, y = edge.points[-1]
    if edge.side == "down":
        return f"M{x:g} {y:g}l-6 -9h12z"
    back = 7 if edge.side == "right" else -7
    return f"M{x:g} {y:g}l{back} -4.5v9z"
