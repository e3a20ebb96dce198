"""The report's picture for papers, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis as Ticks
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Affine2D, Bbox

from ...pictures import Picture, drawing, new_figure, saved
from ..model.axes import Axis
from ..model.rows import Row, Rows
from .style import front_line, mark, marks, shape, shapes

_GREY = "#666666"
_LINE, _HANDLE = 185, 7
"""Letters that a line of the legend has room for, and those that an entry's sign takes."""
_ON_FRONT: dict[str, Any] = {"markersize": 7, "markeredgecolor": "black", "markeredgewidth": 0.8}
_BEHIND: dict[str, Any] = {"markersize": 5.5, "markeredgecolor": "none", "alpha": 0.55}

# Where the name of a point may stand, in printer's points from it: beside it if there is room,
# farther away with a line to it if not.
_NAME_LINE = {"arrowstyle": "-", "color": _GREY, "linewidth": 0.6, "shrinkB": 4}
_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_BESIDE = [(-5, -7), (5, 8), (-5, 8), (5, -7), (8, 0), (-8, 0)]
_AWAY = [
    (h * side, v * reach)
    for reach, side in ((17, 7), (26, 9), (35, 11), (44, 13), (53, 15), (62, 17), (71, 19))
    for h, v in ((-1, -1), (1, -1), (1, 1), (-1, 1))
]


class _Named(NamedTuple):
    """A point that is to be named, where it is drawn."""

    name: str
    x: float
    y: float


def to_picture(rows: Rows) -> Picture:
    """The rows' panels side by side, with their fronts."""
    with drawing():
        figure = new_figure(12, 5.2)
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        names = [
            (axes, _panel(axes, rows, *keys))
            for axes, keys in zip((left, right), rows.panels, strict=True)
        ]
        _draw_legend(figure, rows)
        if rows.title:
            figure.suptitle(rows.title)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        renderer = FigureCanvasAgg(figure).get_renderer()
        for axes, points in names:
            _name(axes, points, renderer)
        return saved(figure)


def _panel(axes: Axes, rows: Rows, x_key: str, y_key: str) -> list[_Named]:
    """Draw one picture; gives the points on fronts, to be named."""
    x, y = rows.drawn(x_key, y_key)
    _scale(axes.set_xscale, axes.set_xlim, axes.xaxis, axes.set_xlabel, x)
    _scale(axes.set_yscale, axes.set_ylim, axes.yaxis, axes.set_ylabel, y)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if y_key == "accuracy" and rows.workload:
        _draw_level(axes, rows.workload.baseline_accuracy, rows.workload.baseline)
    fronts = {operation: rows.front(x_key, y_key, operation) for operation in rows.operations}
    for operation, front in fronts.items():
        h, v = (np.array([axis.positions[i] for i in front], float) for axis in (x, y))
        style = front_line(operation).matplotlib
        axes.step(h, v, where="post", zorder=1, color=_GREY, linewidth=1.1, linestyle=style)
    on_front = {i for front in fronts.values() for i in front}
    _draw_bars(axes, x, y, on_front)
    return _draw_points(axes, rows, x, y, on_front)


def _scale(
    set_scale: Callable[[str], None],
    set_limits: Callable[[float, float], object],
    ticks: Ticks,
    set_label: Callable[[str], object],
    axis: Axis,
) -> None:
    set_scale("log" if axis.is_log else "linear")
    set_limits(axis.low, axis.high)
    ticks.set_ticks(axis.ticks, axis.tick_labels)
    ticks.set_ticks([], minor=True)
    set_label(axis.title)


def _draw_level(axes: Axes, value: float, name: str) -> None:
    """A dashed line across the picture at a value of the vertical axis."""
    axes.axhline(value, color=_GREY, linewidth=0.8, linestyle=(0, (6, 4)))
    axes.annotate(
        name,
        (1, value),
        (0, 2),
        color=_GREY,
        ha="right",
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
    )


def _draw_points(axes: Axes, rows: Rows, x: Axis, y: Axis, on_front: set[int]) -> list[_Named]:
    """Draw a marker for each row that both axes have a place for; gives those on fronts."""
    drawn = []
    for i, row in enumerate(rows.rows):
        h, v = x.positions[i], y.positions[i]
        if h is None or v is None:
            continue
        style = _ON_FRONT if i in on_front else _BEHIND
        marker, larger = _marker(shape(row.family).matplotlib, mark(row.format).holes)
        size = {"markersize": style["markersize"] * larger}
        if mark(row.format).holes and i in on_front:
            size["markeredgewidth"] = 0.4  # so that holes can be seen
        axes.plot(h, v, marker=marker, color=mark(row.format).colour, **(style | size))
        if i in on_front:
            drawn.append(_Named(row.label, h, v))
    return drawn


def _draw_bars(axes: Axes, x: Axis, y: Axis, on_front: set[int]) -> None:
    """The standard deviations of what is an estimate: lines that those of fronts stand out of."""
    places = list(zip(x.positions, y.positions, y.deviations, strict=True))
    look: dict[str, Any] = {"color": _GREY, "linewidth": 0.8, "zorder": 1.5}
    for behind, alpha in ((True, 0.35), (False, 1.0)):
        bars = [
            (h, v - deviation, v + deviation)
            for i, (h, v, deviation) in enumerate(places)
            if h is not None and v is not None and deviation and (i not in on_front) == behind
        ]
        if bars:
            axes.vlines(*zip(*bars, strict=True), alpha=alpha, **look)


@cache
def _marker(name: str, holes: tuple[float, ...]) -> tuple[Any, float]:
    """A marker with holes in it, of which each second one is filled again, and by how much larger
    than others it is to be asked for: matplotlib draws outlines of one's own at one size."""
    if not holes:
        return name, 1.0
    style = MarkerStyle(name)
    outline = style.get_path().transformed(style.get_transform())
    # What runs the other way round is a hole: mirrored so that the shape stays as it is.
    mirror = (1, -1) if name in "<>" else (-1, 1)
    turns = [mirror if i % 2 == 0 else (1, 1) for i in range(len(holes))]
    inner = [
        outline.transformed(Affine2D().scale(share * across, share * along))
        for share, (across, along) in zip(holes, turns, strict=True)
    ]
    return Path.make_compound_path(outline, *inner), 2 * float(np.abs(outline.vertices).max())


def _draw_legend(figure: Figure, rows: Rows) -> None:
    drawn = [row for row in rows.rows if any(_is_drawn(rows, row, *keys) for keys in rows.panels)]
    families, formats = {row.family for row in drawn}, {row.format for row in drawn}

    def entry(name: str, **style: Any) -> Line2D:
        return Line2D([], [], **({"linestyle": "", "label": name} | style))

    entries = [
        *(
            entry(name, marker=shape.matplotlib, color=_GREY)
            for name, shape in shapes(rows.families).items()
            if name in families
        ),
        *(
            entry(f"front of {rows.noun(op)}s", linestyle=front_line(op).matplotlib, color=_GREY)
            for op in rows.compared
            if any(len(rows.front(*keys, op)) > 1 for keys in rows.panels)
        ),
        *(
            entry(name, marker=_marker("o", m.holes)[0], color=m.colour)
            for name, m in marks(rows.formats).items()
            if name in formats
        ),
    ]
    figure.legend(
        handles=entries,
        loc="outside lower center",
        ncols=_legend_columns([str(entry.get_label()) for entry in entries]),
        frameon=False,
        columnspacing=1.2,
        handletextpad=0.3,
    )


def _is_drawn(rows: Rows, row: Row, x: str, y: str) -> bool:
    """Whether a panel shows a row."""
    return rows.value(x, row) is not None and rows.value(y, row) is not None


def _legend_columns(labels: list[str]) -> int:
    """As many as a line has room for, each as wide as the longest of its entries."""

    def room(columns: int) -> int:
        parts = np.array_split([len(label) + _HANDLE for label in labels], columns)
        return sum(int(part.max()) for part in parts)

    return max((n for n in range(1, len(labels) + 1) if room(n) <= _LINE), default=1)


def _name(axes: Axes, points: list[_Named], renderer: RendererAgg) -> None:
    """Write names beside points, each where it covers no marker, no front and no other name."""
    frame = axes.get_window_extent()
    taken = _drawn_boxes(axes)
    for point in points:
        for offset in (*_BESIDE, *_AWAY):
            text = _annotation(axes, point, offset)
            text.update_positions(renderer)
            box = Text.get_window_extent(text, renderer)  # of the name alone, without its line
            inside = frame.containsx(box.x0) and frame.containsx(box.x1) and frame.containsy(box.y0)
            marker = axes.transData.transform((point.x, point.y))
            path = _between(marker, box) if offset in _AWAY else []
            if inside and not any(other.overlaps(b) for other in taken for b in (box, *path)):
                taken += [box, *path]
                break
            text.remove()


def _annotation(axes: Axes, point: _Named, offset: tuple[int, int]) -> Annotation:
    """A point's name at an offset from it, with a line to it if that is far away."""
    side = "right" if offset[0] < 0 else "left"
    line_to_point = _NAME_LINE | {"relpos": (float(offset[0] < 0), 0.5)}
    return axes.annotate(
        point.name,
        (point.x, point.y),
        offset,
        textcoords="offset points",
        va="center",
        fontsize=7,
        ha=side,
        arrowprops=line_to_point if offset in _AWAY else None,
    )


def _between(marker: np.ndarray, box: Bbox) -> list[Bbox]:
    """Small boxes on the line from a point's marker to its name."""
    end = np.array([min(max(marker[0], box.x0), box.x1), (box.y0 + box.y1) / 2])
    steps = [marker + (end - marker) * share for share in _SHARES]
    return [Bbox([step - 1, step + 1]) for step in steps]


def _drawn_boxes(axes: Axes) -> list[Bbox]:
    """What names must not cover: a box around every marker and every stretch of a line."""
    boxes: list[Bbox] = []
    for line in axes.lines:
        ends = line.get_transform().transform(line.get_path().vertices)
        if line.get_marker() != "None":
            boxes += [Bbox([end - 6, end + 6]) for end in ends]
        elif line.get_drawstyle() == "steps-post":
            for a, b in pairwise(ends):
                boxes += [
                    Bbox([(a[0], a[1] - 1), (b[0], a[1] + 1)]),
                    Bbox([(b[0] - 1, min(a[1], b[1])), (b[0] + 1, max(a[1], b[1]))]),
                ]
    return boxes
