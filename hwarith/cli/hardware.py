"""Commands that write hardware and check it: generate, vectors, run, regress, prove,
mutate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..exceptions import InvalidInput, unknown
from ..progress import counted, progress, say_first
from .completion import complete_library
from .options import Catalogue, Json, Output, Spec, Specs, TargetPeriod, Verbose, units_of
from .output import fail, print_json, print_tables

REGRESS, FAULT = 15.0, 1.5
"""Seconds that the regression of a unit takes, and a fault in one: about, on one core."""


def generate(
    specs: Specs = None,
    output: Output = Path(),
    catalogue: Catalogue = False,
    name: Annotated[str, typer.Option(help="Name of the module (one SPEC).")] = "",
    prefix: Annotated[str, typer.Option(help="What all names of modules begin with.")] = "",
    sv: Annotated[bool, typer.Option("--sv", help="SystemVerilog, with a package.")] = False,
    dsp: Annotated[bool, typer.Option("--dsp", help="Products as *, for DSP blocks.")] = False,
    reset: Annotated[str, typer.Option(help="sync (default), async or none.")] = "sync",
    reset_active: Annotated[str, typer.Option(help="high (default) or low.")] = "high",
    enable: Annotated[bool, typer.Option("--enable", help="A clock enable, en.")] = False,
    registered: Annotated[
        bool, typer.Option("--registered", help="No path from o_ready to i_ready.")
    ] = False,
    tag: Annotated[int, typer.Option(help="Bits that travel with the operands.")] = 0,
    target_period: TargetPeriod = None,
    library: Annotated[
        str | None,
        typer.Option(
            help="Of --target-period: generic, osu018, osu035, osu050 or a Liberty file.",
            show_default=False,
            autocompletion=complete_library,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that differ.")] = False,
) -> None:
    """Write the Verilog of units, a file each.

    A file that is there and is not the same is left alone, and nothing is written, without --force.
    """
    from ..files import write_new
    from ..flow.forms import Form
    from ..flow.verilog import verilog

    if library is not None and target_period is None:
        raise InvalidInput("--library is for --target-period")
    units = units_of(specs, catalogue, period=target_period, library=library)
    if name and len(units) > 1:
        raise InvalidInput(f"--name is for one SPEC, not {len(units)}; --prefix is for many")
    if reset_active not in (levels := ("high", "low")):
        raise unknown("active level of the reset", reset_active, levels)
    form: dict[str, Any] = {
        "name": name,
        "prefix": prefix,
        "sv": sv,
        "dsp": dsp,
        "reset": reset,
        "active_low": reset_active == "low",
        "enable": enable,
        "registered": registered,
        "tag": tag,
    }
    suffix = ".sv" if sv else ".v"
    texts = {output / f"{Form(**form).module(u)}{suffix}": verilog(u, **form) for u in units}
    write_new(texts, force)
    for path in texts:
        print(path)


def export(
    spec: Annotated[str | None, typer.Argument(metavar="SPEC", show_default=False)] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder to write to.", show_default=False)
    ] = None,
    period: Annotated[
        float | None, typer.Option(help="Of the clock, in ns (default: 10).", show_default=False)
    ] = None,
    vectors: Annotated[
        int | None,
        typer.Option(help="Operand sets of the testbench (default: 1000).", show_default=False),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of what is random (default: 1).", show_default=False)
    ] = None,
    axi_stream: Annotated[
        bool | None,
        typer.Option("--axi-stream/--no-axi-stream", help="A wrapper; default: with stages."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the module.", show_default=False)] = None,
    prefix: Annotated[
        str | None,
        typer.Option(help="What all names of modules begin with.", show_default=False),
    ] = None,
    dsp: Annotated[
        bool | None, typer.Option("--dsp", help="Products as *, for DSP blocks.")
    ] = None,
    reset: Annotated[
        str | None, typer.Option(help="sync (default) or async.", show_default=False)
    ] = None,
    registered: Annotated[
        bool | None, typer.Option("--registered", help="No path from o_ready to i_ready.")
    ] = None,
    fusesoc_generator: Annotated[
        bool,
        typer.Option("--fusesoc-generator", help="No unit: FuseSoC's generator of them all."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that has other files.")
    ] = False,
) -> None:
    """Write a unit as an IP block: Verilog, testbenches, constraints, scripts, README.

    The README in the folder says what each file is, and the commands that use it.
    """
    from ..flow.export.flows import generator_core
    from ..flow.export.folder import export, write

    if output is None:
        raise InvalidInput("export: give a folder, -o FOLDER")
    settings: dict[str, Any] = {
        "period": period,
        "vectors": vectors,
        "seed": seed,
        "axi_stream": axi_stream,
        "name": name,
        "prefix": prefix,
        "dsp": dsp,
        "reset": reset,
        "registered": registered,
    }
    given = {option: x for option, x in settings.items() if x is not None}
    if fusesoc_generator == (spec is not None):
        raise InvalidInput("export: give either SPEC or --fusesoc-generator, and not both")
    if spec is None and given:
        option = next(iter(given)).replace("_", "-")
        raise InvalidInput(f"export: --{option} is for a SPEC; --fusesoc-generator has no unit")
    if spec is None:
        paths = write(output, generator_core(), force)
    else:
        paths = export(spec, output, **given, force=force)
    for path in paths:
        print(path)


def vectors(
    spec: Spec,
    number: Annotated[int, typer.Option("-n", help="How many results.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of what is random.")] = 1,
    form: Annotated[
        str, typer.Option("--format", help="hex (default), testfloat, memh, csv or npz.")
    ] = "hex",
    output: Annotated[
        str, typer.Option("-o", "--output", help="File to write; - prints them.")
    ] = "-",
) -> None:
    """Write conformance vectors: operands and results in hexadecimal, by class of difficulty.

    One of each class comes first. Of units that take groups or tiles the file has all transfers.
    """
    from ..files import write_bytes
    from ..flow.vectors import vectors

    content = vectors(spec, number, seed).content(form)
    if output != "-":
        write_bytes(Path(output), content)
    elif form == "npz":
        raise InvalidInput("npz is no text: name a file with -o")
    else:
        print(content.decode(), end="")


def run(
    spec: Spec,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The vectors; - reads them.")],
    rtl: Annotated[bool, typer.Option("--rtl", help="Also run the hardware.")] = False,
    nan: Annotated[
        str,
        typer.Option(help="any: any NaN is as good as the expected one; bits: compare its bits."),
    ] = "any",
    most: Annotated[int, typer.Option(help="How many differences to show.")] = 10,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Run a file of vectors through a unit and compare the results.

    FILE: what `hwarith vectors` writes, what testfloat_gen writes, IBM's .fptest, or your own codes
    in hexadecimal columns, a table or arrays (docs/vectors.md). Exit status 1 if results differ.
    """
    from ..flow.vectors import run_vectors

    path = Path("/dev/stdin") if str(file) == "-" else file
    result = run_vectors(spec, path, rtl, nan, most)
    if as_json:
        print_json(result.as_dict())
    else:
        print(result)
        print_tables(result.tables()[1:], verbose)
    if not result.passed:
        wrong = ", ".join(f"{count} from the {name}" for name, count in result.differing.items())
        fail(f"{result.spec}: results of {result.file} differ: {wrong}", 1)


def regress(
    specs: Specs = None,
    catalogue: Catalogue = False,
    vectors: Annotated[int, typer.Option(help="Operand sets for each phase.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the operands and the pauses.")] = 1,
    simulator: Annotated[str, typer.Option(help="verilator or icarus.")] = "verilator",
    waves: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Record all signals: a .vcd, or of icarus a .fst."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit's XML as well.")
    ] = None,
    netlist: Annotated[
        bool, typer.Option("--netlist", help="The mapped netlist; and prove that it is equal.")
    ] = False,
    library: Annotated[
        str | None,
        typer.Option(
            help="Of the netlist: generic (default), osu018, osu035, osu050, or a Liberty file.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for the proof of a netlist.")] = 60,
    as_json: Json = False,
) -> None:
    """Run the cocotb testbench on units, and say what it covered.

    Operands are those of `hwarith vectors`, of every class. With --netlist it runs on the gates
    that synthesis makes, which yosys compares with the Verilog for every input. Exit status 1 if a
    check fails; 3 if none does, but it is undecided whether a netlist is equal.
    """
    from ..files import check_writable, write_text
    from ..flow.regress import regress
    from ..flow.regression import junit

    units = units_of(specs, catalogue)
    if waves and len(units) > 1:
        raise InvalidInput(f"--waves records one unit; {len(units)} were named")
    if library is not None and not netlist:
        raise InvalidInput("--library goes with --netlist")
    if report:
        check_writable(report)
    name = (library or "generic") if netlist else None
    settings: Any = {"simulator": simulator, "waves": waves, "library": name, "seconds": timeout}
    results = [
        regress(u, vectors=vectors, seed=seed, **settings)
        for u in progress(units, "regress", each=REGRESS)
    ]
    if report:
        write_text(report, junit(results))
    if as_json:
        print_json([{"spec": result.spec} | result.as_dict() for result in results])
    else:
        for result in results:
            print(result)
            print(f"  {result.covered}")
            if result.netlist:
                print(f"  {result.netlist}")
    failed = [result.spec for result in results if result.failed]
    if failed:
        fail(f"{len(failed)} of {len(results)} units failed: {', '.join(failed)}", 1)
    undecided = [x.spec for x in results if x.netlist and x.netlist.verdict == "undecided"]
    if undecided:
        fail(f"undecided whether netlists are equal: {', '.join(undecided)}", 3)


def prove(
    specs: Specs = None,
    catalogue: Annotated[
        bool,
        typer.Option("--catalogue", help="All units of the catalogue that are proved."),
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds for each unit.")] = 600,
    jobs: Annotated[
        int | None,
        typer.Option(help="Solvers at a time (default: one a processor).", show_default=False),
    ] = None,
    verilog: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Other Verilog, with the module and ports of the unit."),
    ] = None,
    theory: Annotated[
        bool,
        typer.Option("--theory", help="The definition too: equal to SMT-LIB's floating point."),
    ] = False,
    both: Annotated[
        bool, typer.Option("--both", help="Both solvers decide everything, and must agree.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Prove that the Verilog of units computes their definitions, for every input.

    Exit status 1 if a unit is refuted, and else 3 if one is undecided.
    """
    from ..flow.proofs.provable import check_provable, is_provable
    from ..flow.proofs.prove import prove
    from ..inputs import read_text

    units = units_of(specs, catalogue, is_provable)
    for u in units:
        check_provable(u, timeout)
    if verilog and len(units) > 1:
        raise InvalidInput(f"--verilog is for one SPEC, not {len(units)}")
    text = read_text(verilog, "Verilog") if verilog else None
    say_first(f"prove ({len(units)})", timeout * len(units), "at most")
    proofs = []
    for u in units:
        with counted(u.name) as count:
            proofs.append(prove(u, timeout, jobs, text, count.update, theory, both))
        if not as_json:
            print(proofs[-1], flush=True)
    if as_json:
        print_json([proof.as_dict() for proof in proofs])
    wrong = [p for p in proofs if p.verdict == "refuted" or p.theory.startswith("differs")]
    open_ = [p for p in proofs if p.verdict == "undecided" or p.theory == "undecided"]
    if wrong or open_:
        said = [f"{len(x)} {what}" for x, what in ((wrong, "refuted"), (open_, "undecided")) if x]
        fail(f"of {len(proofs)} units {' and '.join(said)}", 1 if wrong else 3)


def mutate(
    specs: Specs = None,
    catalogue: Catalogue = False,
    count: Annotated[int, typer.Option(help="Faults in each unit.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the faults, the vectors, the pauses.")] = 1,
    vectors: Annotated[
        int | None,
        typer.Option(
            help="Results to find each with (2^18, fewer with a clock).", show_default=False
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for the proof of each survivor.")] = 60,
    jobs: Annotated[
        int | None,
        typer.Option(help="Solvers at a time (default: one a processor).", show_default=False),
    ] = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Put faults into the Verilog of units, and see whether their checks find them.

    Those that none finds are listed; solvers show which of them change nothing. Exit status 1 if
    any other is left.
    """
    from ..flow.mutants.mutate import mutate

    results = []
    units = units_of(specs, catalogue)
    say_first(f"mutate ({len(units)})", FAULT * count * len(units))
    for u in units:
        with counted(u.name) as done:
            results.append(mutate(u, count, seed, vectors, timeout, jobs, done.update))
        if not as_json:
            print(results[-1], flush=True)
            print_tables(results[-1].tables()[1:], verbose)
    if as_json:
        print_json([result.as_dict() for result in results])
    left = {result.spec: len(result.unexplained) for result in results if result.unexplained}
    if left:
        said = ", ".join(f"{n} of {spec}" for spec, n in left.items())
        fail(f"faults that nothing has found, nor shown to change nothing: {said}", 1)
