"""Pictures of results: drawn with matplotlib (extra ``plots``), shown by notebooks, and saved."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .exceptions import InvalidInput, quoted
from .extras import require
from .files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 200


@dataclass(frozen=True)
class Picture:
    """A picture in both kinds, the same bytes whenever it is drawn; notebooks show it."""

    png: bytes
    svg: bytes

    def save(self, path: str | Path) -> Path:
        """Write it to a file, ``.png`` or ``.svg``; returns its path. Raises `InvalidInput`."""
        file = Path(path)
        kinds = {".png": self.png, ".svg": self.svg}
        if file.suffix not in kinds:
            raise InvalidInput(f"a picture is a .png or .svg file, not {quoted(str(path))}")
        write_bytes(file, kinds[file.suffix])
        return file

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        return f"<picture, {len(self.png):,} bytes as PNG>"


@contextmanager
def drawing() -> Iterator[None]:
    """Within the ``with`` block pictures are drawn as those of reports are. Raises `MissingTool`
    without matplotlib."""
    require("matplotlib", "a picture")
    from matplotlib import rc_context

    with rc_context({"font.size": 8.5, "font.family": "DejaVu Sans", "svg.hashsalt": "hwarith"}):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, for `saved`."""
    require("matplotlib", "a picture")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def saved(figure: Any) -> Picture:
    """A figure as a picture."""
    found = {}
    for kind, changing in (("png", "Software"), ("svg", "Date")):
        file = io.BytesIO()
        figure.savefig(file, format=kind, dpi=_DPI, metadata={changing: None})
        found[kind] = file.getvalue()
    return Picture(**found)
