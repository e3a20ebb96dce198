"""A self-checking testbench in plain Verilog, and the vectors that it reads."""

from __future__ import annotations

from ...units.interface import Port
from .block import Block, pins, width
from .templates import filled


def testbench(block: Block) -> str:
    """The Verilog of the testbench: of vectors one after the other, or of streams."""
    template = "stream_tb.v" if block.unit.stages else "combinational_tb.v"
    transfers, count = len(block.vectors.complete), len(block.vectors)
    # Prefixes keep ports of any name apart from what else the testbench has.
    data = block.unit.inputs | block.unit.results
    at = {p.name: f"dut_{p.name}" if p.name in data else p.name for p in block.ports}
    held = [(port, transfers) for port in block.inputs] + [(p, count) for p in block.results]
    return filled(
        template,
        name=block.name,
        spec=block.unit.spec,
        transfers=transfers,
        count=count,
        seed=block.vectors.seed % (1 << 31) or 1,
        drain=block.unit.stages + 4,
        memories="\n".join(
            f"  reg {width(port.bits)}codes_{port.name} [0:{n - 1}];" for port, n in held
        ),
        registers="\n".join(f"  reg {width(p.bits)}dut_{p.name};" for p in block.inputs),
        wires="\n".join(f"  wire {width(p.bits)}dut_{p.name};" for p in block.results),
        pins=pins(block, at),
        payload=width(sum(port.bits for port in block.results)),
        got=_joined(block.results, "dut_{0}"),
        expected=_joined(block.results, "codes_{0}[received]"),
        reads="\n".join(
            f'    $readmemh("{block.codes(port)}", codes_{port.name});' for port, _ in held
        ),
        offers=_assigned(block, "codes_{0}[sent]"),
        garbage=_assigned(block, "~dut_{0}"),
    )


def _joined(ports: list[Port], name: str) -> str:
    """Ports side by side, the first one on top, as a failure shows them."""
    return ", ".join(name.format(port.name) for port in ports)


def _assigned(block: Block, value: str) -> str:
    """An assignment to each input port."""
    arrow, space = ("<=", " " * 10) if block.unit.stages else ("=", " " * 6)
    return "\n".join(
        f"{space}dut_{port.name} {arrow} {value.format(port.name)};" for port in block.inputs
    )


def vectors(block: Block) -> dict[str, str]:
    """The files that ``$readmemh`` reads: a code in hexadecimal on each line, for each port; of
    results only those that come."""
    texts = {port: block.vectors.memh(port.name) for port in [*block.inputs, *block.results]}
    return {
        block.codes(port): "".join(
            line for line in text.splitlines(keepends=True) if not line.startswith("x")
        )
        for port, text in texts.items()
    }
