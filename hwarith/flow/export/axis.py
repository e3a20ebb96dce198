"""An AXI4-Stream wrapper: the ports of a stream packed into ``tdata``, ``tlast`` and ``tuser``
travelling along.

The inputs of a transfer lie in ``s_axis_tdata`` in the order of the ports, the first one at the
lsb, each from a byte boundary on; results lie in ``m_axis_tdata`` in the same way. Where a port
that is high says which transfer completes a result, ``tlast`` takes its place, and ``first``, if
there is one, follows from it: packets are groups. A result brings ``tlast`` and ``tuser`` of the
transfer that completed it, from a queue beside the unit that is as deep as the unit has stages.
"""

from __future__ import annotations

from ...units import Unit
from ...units.interface import Port
from .block import Block, pins, width
from .templates import filled


def fields(ports: list[Port]) -> list[tuple[Port, int]]:
    """Ports in ``tdata``, each with the place of its lsb."""
    found, at = [], 0
    for port in ports:
        found.append((port, at))
        at += 8 * _bytes(port)
    return found


def size(ports: list[Port]) -> int:
    """Bytes of ``tdata``."""
    return sum(map(_bytes, ports))


def _bytes(port: Port) -> int:
    return -(-port.bits // 8)


def replaced(u: Unit) -> list[str]:
    """Controls that are not in ``tdata``, the one that ``tlast`` says last."""
    name, value = u.transfers.completes or ("", 0)
    return [control for control in ("first", name) if control in u.transfers.controls and value]


def payload(block: Block) -> list[Port]:
    """The input ports that lie in ``s_axis_tdata``."""
    return [port for port in block.inputs if port.name not in replaced(block.unit)]


def layout(ports: list[Port]) -> list[tuple[str, Port]]:
    """Each port with its bits in ``tdata``."""
    return [(_slice(port, at), port) for port, at in fields(ports)]


def _slice(port: Port, at: int) -> str:
    return f"[{at + port.bits - 1}:{at}]" if port.bits > 1 else f"[{at}]"


def sideband(u: Unit) -> list[str]:
    """What tlast and tuser mean, in sentences."""
    lines = ["tlast and tuser of the transfer that completes a result come with the result."]
    if gone := replaced(u):
        lines.append(f"s_axis_tlast is the port {gone[-1]}: a packet is what makes one result.")
    if "first" in gone:
        lines.append("The port first is high in the first transfer of each packet.")
    return lines


def wrapper(block: Block) -> str:
    """The Verilog of the wrapper."""
    u = block.unit
    entering, leaving, gone = payload(block), block.results, replaced(u)
    at_pins = {"clk": "aclk", "rst": "~aresetn", "i_valid": "s_axis_tvalid"}
    at_pins |= {"i_ready": "s_axis_tready", "o_valid": "o_valid", "o_ready": "m_axis_tready"}
    at_pins |= {port.name: f"s_axis_tdata{_slice(port, at)}" for port, at in fields(entering)}
    at_pins |= {name: "first" if name == "first" else "s_axis_tlast" for name in gone}
    at_pins |= {port.name: f"result_{port.name}" for port in leaving}
    name, value = u.transfers.completes or ("", 1)
    completes = at_pins.get(name, "1'b1")
    bits = max(1, (u.stages - 1).bit_length())
    return filled(
        "axis.v",
        name=block.name,
        spec=u.spec,
        layout="\n".join(f"// {line}".rstrip() for line in _described(block)),
        into=width(8 * size(entering)),
        out=width(8 * size(leaving)),
        results="\n".join(f"  wire {width(p.bits)}result_{p.name};" for p in leaving),
        first=filled("first.v").rstrip("\n") + "\n" if "first" in gone else "",
        complete=completes if value else f"~{completes}",
        bits=bits,
        pointer=width(bits),
        last=u.stages - 1,
        packed=_packed(leaving),
        unused=_unused(entering),
        pins=pins(block, at_pins),
    )


def _described(block: Block) -> list[str]:
    lines = []
    for name, ports in (("s_axis_tdata", payload(block)), ("m_axis_tdata", block.results)):
        lines.append(f"{name}, {size(ports)} bytes:")
        lines += [f"  {at} {p.name}: {p.format}, {p.meaning}" for at, p in layout(ports)]
    return [*lines, *sideband(block.unit)]


def _packed(ports: list[Port]) -> str:
    """Results as ``tdata``, the first one at the lsb."""
    parts: list[str] = []
    for port in ports:
        pad = -port.bits % 8
        parts += [f"result_{port.name}", *([f"{pad}'d0"] if pad else [])]
    return ", ".join(reversed(parts))


def _unused(ports: list[Port]) -> str:
    """A wire that takes what nothing else does, so that no linter asks for it."""
    gaps = []
    for port, at in fields(ports):
        low, high = at + port.bits, at + 8 * _bytes(port) - 1
        if low <= high:
            gaps.append(f"s_axis_tdata[{high}:{low}]" if low < high else f"s_axis_tdata[{low}]")
    return f"  wire unused = &{{1'b0, {', '.join(gaps)}}};" if gaps else ""
