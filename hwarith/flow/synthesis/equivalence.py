"""Whether a mapped netlist does what the Verilog of its unit does: decided by yosys and its ABC.

Registers are cut out of both: what they hold is an input of both, what they get an output. A
register of the unit and the net of the netlist that has its name are taken to hold the same. If
then all outputs and all that registers get are the same, whatever the inputs are and whatever is
held, they hold the same after the next clock as well; and as no register that has no reset starts
with anything given, every run of the netlist is one of the unit. Where nothing is held this is the
comparison of two functions.

ABC proves the difference of both to be constant by rewriting, by merging nodes that are equal and
by SAT (Mishchenko, Chatterjee, Brayton, Een, "Improvements to combinational equivalence checking",
ICCAD 2006); what it leaves goes to yosys' SAT solver, which gives a counterexample if there is one.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ... import caching
from ...exceptions import InvalidInput, ToolFailure, listed, quoted, shown
from ...temporary import temporary_folder
from ...units import Unit, unit
from .. import tools
from ..checks import MOST_SECONDS, is_time
from ..regression import Phase
from ..verilog import verilog
from . import liberty, results
from .libraries import OPEN_CELLS, fpga, liberty_file
from .models import with_models
from .registers import GET, HELD, Cut, cut
from .synthesize import synthesize
from .timing import CLOCK

PROVEN, REFUTED, UNDECIDED = "proven", "refuted", "undecided"

_LOWERED = """read_verilog {side}.v
hierarchy -check -top {top}
proc
flatten -noscopeinfo
opt_expr
opt_dff -nodffe -nosdff
dffunmap
techmap
opt_clean
rename -top {side}
write_json {side}.json
design -reset
"""
"""A module as single gates and flip-flops, by yosys."""

_COMPARED = """read_json both.json
miter -equiv -flatten unit netlist miter
hierarchy -top miter
proc
flatten
techmap
opt_clean
abc -g AND -script +strash;iprove
opt_clean
tee -o verdict.txt sat -prove trigger 0 -set-def-inputs -show-inputs -dump_json differs.json miter
"""

_SHOWN = """read_json both.json
miter -equiv -flatten -make_outputs unit netlist miter
hierarchy -top miter
proc
flatten
sat {sets} -show-inputs -show-outputs -dump_json differs.json miter
"""


@dataclass(frozen=True)
class Equivalence:
    """What `equivalence` found.

    Attributes
    ----------
    spec, library : the unit, and the library that it is mapped to.
    verdict : ``proven``, ``refuted`` or ``undecided``.
    outputs, registers : bits of outputs, and of registers, that were compared.
    seconds : how long it took; of a verdict that was kept, how long it took then.
    message : where they differ, or why it is undecided; None if they are equal.
    """

    spec: str
    library: str
    verdict: str
    outputs: int
    registers: int
    seconds: float
    message: str | None = None

    @property
    def phase(self) -> Phase:
        """The same as a phase of a regression: one check, or none if it is undecided."""
        proven, refuted = self.verdict == PROVEN, self.verdict == REFUTED
        name = f"netlist of {Path(self.library).name} equals the Verilog"
        return Phase(name, int(proven), int(refuted), self.message, self.seconds)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        what = f"netlist of {shown(self.library)} equals the Verilog: {self.verdict}"
        compared = f"{self.outputs} bits of outputs, {self.registers} of registers"
        return f"{what}, {self.message or f'for every input; {compared}'}"


def netlist_of(
    spec: Unit | str, library: str | Path = "generic", netlist: str | None = None
) -> str:
    """The netlist of a unit on the cells of a library, with the Verilog of these cells behind it,
    so that it can be simulated: ``hw.simulate(u, verilog=netlist_of(u, "osu018"))``.

    Parameters
    ----------
    spec : the unit, or its spec.
    library : ``generic``, ``osu018``, ``osu035``, ``osu050`` or the path of a Liberty file.
    netlist : Verilog with the unit's module name and ports, of the library's cells; without it
        what `synthesize` makes.

    The Verilog of a cell is made of its functions in the Liberty file. Raises `InvalidInput` for
    an FPGA, which has no such file, and for a cell that has no function; and what `synthesize`
    raises.
    """
    if fpga(str(library)):
        allowed = ", ".join(["generic", *OPEN_CELLS])
        raise InvalidInput(
            f"a netlist to be simulated is of cells, not of the look-up tables of "
            f"{quoted(str(library))}; allowed: {allowed}, the path of a Liberty file"
        )
    if netlist is None:
        netlist = synthesize(spec, library).netlist
    return with_models(str(netlist), liberty.read(liberty_file(str(library))))


def check_seconds(seconds: float) -> None:
    """Raise `InvalidInput` for what is no number of seconds that `equivalence` may take."""
    if not is_time(seconds):
        raise InvalidInput(
            f"seconds for a comparison of a netlist must be a number above 0, at most "
            f"{MOST_SECONDS}, not {quoted(seconds)}"
        )


def equivalence(
    spec: Unit | str,
    library: str | Path = "generic",
    netlist: str | None = None,
    seconds: float = 60,
) -> Equivalence:
    """Decide whether the netlist of a unit equals its Verilog for every input.

    Parameters
    ----------
    spec, library, netlist : as `netlist_of` takes them.
    seconds : after which it is given up: ``undecided``.

    A netlist whose registers were moved, or go by other names, is ``undecided``. A pipelined one
    is ``refuted`` in a state that it may never be in: the message has what its registers hold.

    Raises what `netlist_of` does, and `ToolFailure` if yosys cannot read the netlist.
    """
    check_seconds(seconds)
    u = unit(spec)
    texts = {"unit": verilog(u), "netlist": netlist_of(u, library, netlist)}
    name = f"{results.digest(__name__, texts.values())}.json"
    kept = caching.load("equivalence", name)
    found = json.loads(kept) if kept else _decided(u, texts, seconds)
    if not kept and found["verdict"] != UNDECIDED:
        caching.save("equivalence", name, json.dumps(found).encode())
    return Equivalence(u.spec, str(library), **found)


def _decided(u: Unit, texts: dict[str, str], seconds: float) -> dict[str, Any]:
    start = time.perf_counter()
    with temporary_folder() as folder:
        modules = _lowered(folder, u, texts)
        both = cut(modules["unit"], modules["netlist"], CLOCK)
        found: dict[str, Any] = {"outputs": both.outputs, "registers": both.registers}
        (folder / "both.json").write_text(json.dumps(both.modules))
        verdict, message = _compared(folder, both, seconds)
    return found | {
        "verdict": verdict,
        "message": message,
        "seconds": round(time.perf_counter() - start, 3),
    }


def _lowered(folder: Path, u: Unit, texts: dict[str, str]) -> dict[str, Any]:
    """Both modules as yosys' JSON has them."""
    for side, text in texts.items():
        (folder / f"{side}.v").write_text(text)
    tools.run_yosys("".join(_LOWERED.format(side=side, top=u.name) for side in texts), folder)
    return {
        side: json.loads((folder / f"{side}.json").read_text())["modules"][side] for side in texts
    }


def _compared(folder: Path, both: Cut, seconds: float) -> tuple[str, str | None]:
    """The verdict, and what there is to say of it."""
    try:
        tools.run_yosys(_COMPARED, folder, seconds)
    except ToolFailure as error:
        if "took more than" not in str(error):
            raise
        return UNDECIDED, f"{error}"
    said = (folder / "verdict.txt").read_text()
    if "SUCCESS!" in said:
        return PROVEN, None
    if "FAIL!" not in said:
        raise ToolFailure("yosys did not say whether the netlist equals the Verilog")
    if both.alone:
        named = listed(both.alone[:3]) + (", ..." if both.alone[3:] else "")
        return UNDECIDED, f"registers without a counterpart of the same name: {named}"
    return REFUTED, _shown(folder, both)


def _shown(folder: Path, both: Cut) -> str:
    """The inputs of a counterexample, and what differs."""
    given = _values(folder)
    sets = " ".join(f"-set {name} {len(bits)}'b{bits}" for name, bits in given.items())
    tools.run_yosys(_SHOWN.format(sets=sets), folder)
    values = _values(folder)
    inputs = {
        name: given[f"in_{name}"]
        for name in both.modules["modules"]["unit"]["ports"]
        if name != CLOCK and f"in_{name}" in given
    }
    held = inputs.pop(HELD, None)
    at = ", ".join(f"{name}={_hexadecimal(bits)}" for name, bits in inputs.items())
    where = f"at {at}"
    if held is not None:
        where += f", if the registers ever hold {shown(_hexadecimal(held), 40)}"
    told = []
    for name, right in values.items():
        got = values.get(name.replace("gold_", "gate_", 1))
        port = name.removeprefix("gold_")
        if not name.startswith("gold_") or got in (None, right):
            continue
        if port == GET:
            pairs = zip(right[::-1], got[::-1], strict=True)  # the lowest bit first
            places = [i for i, (x, y) in enumerate(pairs) if x != y]
            told.append(f"register {both.names[places[0]]} gets another value")
        else:
            told.append(f"{port} must be {_hexadecimal(right)}, and is {_hexadecimal(got)}")
    return f"{where}: {'; '.join(told)}"


def _values(folder: Path) -> dict[str, str]:
    """The signals of a counterexample and their bits, from yosys' WaveJSON."""
    signals = json.loads((folder / "differs.json").read_text())["signal"]
    return {one["name"]: one.get("data", one["wave"])[0] for one in signals}


def _hexadecimal(bits: str) -> str:
    return f"0x{int(bits.replace('x', '0'), 2):X}"
