"""The five-minute tour that needs no extra: golden model, Verilog, simulation and a report.

``python tests/first_tour.py`` runs it in whatever environment that is, in an empty folder; packages
of extras are kept out, so that it says the same where they are installed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

WITHOUT = ("cocotb", "cocotb_tools", "matplotlib", "pandas", "pyarrow", "optuna", "distributed")


def tour(folder: Path) -> Path:
    """Run the tour; returns the page of the report."""
    import numpy as np

    import hwarith as hw
    from hwarith.cli.app import app

    u = hw.unit("fma:a=bf16,c=fp32,out=fp32,stages=2")
    rng = np.random.default_rng(0)
    a, b, c = (f.encode(rng.standard_normal(1000)) for f in u.operands.values())
    assert "module fma_bf16" in hw.verilog(u)
    assert (hw.simulate(u)(a, b, c) == u(a, b, c)).all()

    file = folder / "points.toml"
    file.write_text('points = ["mul:a=e4m3fn", "lmul:format=e4m3fn"]')
    out = folder / "report"
    for command in (["sweep", str(file), "-o", str(out)], ["report", str(out)]):
        app(command, standalone_mode=False)
    return out / "report.html"


def main() -> None:
    for name in WITHOUT:
        sys.modules[name] = None  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        page = tour(Path(folder))
        assert "lmul:format=e4m3fn" in page.read_text(encoding="utf-8")
        assert not page.with_name("report.png").exists()
    print("golden model, Verilog, simulation and report: done")


if __name__ == "__main__":
    main()
