"""Parts of pictures in SVG that stand on pages."""

from __future__ import annotations

from collections.abc import Iterable


def text(
    x: float, y: float, words: str, size: int, fill: str = "#445", anchor: str = "start"
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"'
    return f"<text {place}>{words}</text>"


def line(x0: float, y0: float, x1: float, y1: float, colour: str = "#ddd") -> str:
    return f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{colour}"/>'


_AROUND = (
    *((8.0, 4.0, "start"), (-8.0, 4.0, "end"), (8.0, -6.0, "start"), (8.0, 14.0, "start")),
    *((-8.0, -6.0, "end"), (-8.0, 14.0, "end"), (0.0, -8.0, "middle"), (0.0, 17.0, "middle")),
)
"""Where the name of a point may stand beside it, the best place first."""


def named(points: list[tuple[str, float, float, str]]) -> list[str]:
    """Names of points, each with a colour, where there is room for them beside their points; of the
    others none."""
    taken = [(x - 5, y - 5, x + 5, y + 5) for _, x, y, _ in points]
    parts = []
    for name, x, y, colour in points:
        wide = 5.8 * len(name)
        for dx, dy, anchor in _AROUND:
            left = x + dx - wide * {"start": 0, "middle": 0.5, "end": 1}[anchor]
            box = (left, y + dy - 9, left + wide, y + dy + 2)
            if not any(_overlap(box, other) for other in taken):
                taken.append(box)
                parts.append(text(x + dx, y + dy, name, 11, colour, anchor))
                break
    return parts


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def picture(width: int, height: int, parts: Iterable[str]) -> str:
    """The whole of it, on white."""
    body = "\n".join(parts)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">
<rect width="{width}" height="{height}" fill="#fff"/>
{body}
</svg>
"""
