"""cocotb testbenches whose scoreboard is the golden model."""

from __future__ import annotations

from ..verilated import WITHOUT_FAULTY
from . import axis
from .block import Block
from .templates import filled


def benches(block: Block) -> dict[str, str]:
    """The testbenches and the script that runs them, by their files' names."""
    u = block.unit
    kind = "cocotb_stream.py.in" if u.stages else "cocotb_combinational.py.in"
    tests = {block.name: f"test_{block.name}"}
    texts = {tests[block.name]: filled(kind, name=block.name, spec=u.spec, drain=u.stages + 4)}
    if block.has_axis:
        module = f"test_{block.name}_axis"
        tests[f"{block.name}_axis"] = module
        texts[module] = filled(
            "cocotb_axis.py.in",
            name=block.name,
            spec=u.spec,
            inputs=_places(axis.fields(axis.payload(block))),
            results=_places(axis.fields(block.results)),
            completes=u.transfers.completes,
            tlast=bool(axis.replaced(u)),
            patience=100_000 + 100 * u.stages,
        )
    run = filled(
        "cocotb_run.py.in",
        without_faulty=WITHOUT_FAULTY,
        needs=", cocotbext-axi" if block.has_axis else "",
        sources="\n".join(f'    HERE.parent / "{source}",' for source in block.sources),
        tests="\n".join(f'    "{top}": "{module}",' for top, module in tests.items()),
    )
    return {f"cocotb/{module}.py": text for module, text in texts.items()} | {"cocotb/run.py": run}


def _places(fields: list) -> str:
    return "{" + ", ".join(f'"{port.name}": {at}' for port, at in fields) + "}"
