"""The command line: a thin skin over the public API.

Whatever is slow to import is imported by the command that needs it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from .errors import HwarithError, InvalidInput, unknown

if TYPE_CHECKING:
    from .explore.cycles import Cost
    from .explore.report.weights import WeightRow, WeightRows
    from .formats import Format
    from .units import Unit

app = typer.Typer(
    name="hwarith",
    help="Bit-accurate models and verified Verilog of machine-learning arithmetic.",
    epilog="A SPEC is a unit with its parameters: fma:a=bf16,b=bf16,c=fp32,out=fp32,stages=3",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

# Typer does not export the base of its errors.
_UsageError: Any = typer.BadParameter.__mro__[1]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Specs = Annotated[list[str] | None, typer.Argument(metavar="SPEC...", show_default=False)]
Catalogue = Annotated[bool, typer.Option("--catalogue", help="All units of the catalogue.")]
Libraries = Annotated[
    list[str] | None,
    typer.Option(
        "--library",
        show_default=False,
        help="generic (default), osu018, osu035, osu050, xc7, ice40, ecp5, or a Liberty file; "
        "may be repeated.",
    ),
]
DelayTarget = Annotated[
    float | None,
    typer.Option(help="Size gates for this delay (a Liberty file with tables, its time unit)."),
]
Output = Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")]


def main() -> None:
    """Run the command line; a mistake is one line on standard error and exit status 2."""
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="hwarith", standalone_mode=False)
        sys.stdout.flush()
    except HwarithError as error:
        _fail(str(error), 2)
    except _UsageError as error:
        command = error.ctx.command_path if error.ctx else "hwarith"
        _fail(f"{error.format_message()} ({command} --help shows what is allowed)", 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", 130)
    except BrokenPipeError:  # the flush above; earlier ones typer ends in the same way
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int) -> NoReturn:
    print(f"hwarith: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the units and the formats."""
    from .formats import NAMED, PATTERNS
    from .units import FAMILIES, family

    units = [{"unit": name, "what": family(name).summary} for name in FAMILIES]
    formats = [_describe(f) for f in NAMED.values()]
    if as_json:
        _print_json({"units": units, "formats": formats, "patterns": PATTERNS})
        return
    _print_table(units)
    _print_table(formats)
    print("Also: " + ", ".join(PATTERNS))


@app.command()
def show(name: Annotated[str, typer.Argument(metavar="UNIT")], as_json: Json = False) -> None:
    """Show a unit: its parameters, defaults, contract and source. UNIT may be a whole SPEC."""
    from .units import unit

    u = unit(name)
    parameters = [
        {
            "parameter": key,
            "value": str(getattr(u, key)),
            "allowed": parameter.allowed,
            "what": parameter.help,
        }
        for key, parameter in u.parameters().items()
    ]
    ports = {key: f.name for key, f in (u.operands | u.results).items()}
    facts = {"spec": u.spec, "name": u.name, "what": u.summary, "ports": ports}
    facts |= u.contract._asdict()
    if as_json:
        _print_json(facts | {"parameters": parameters})
        return
    ports_text = ", ".join(f"{key} {f}" for key, f in ports.items())
    _print_table(
        [{"": key, " ": str(value)} for key, value in (facts | {"ports": ports_text}).items()]
    )
    _print_table(parameters)


@app.command("eval", context_settings={"ignore_unknown_options": True})
def eval_(
    spec: Annotated[str, typer.Argument(metavar="SPEC")],
    operands: Annotated[list[str], typer.Argument(metavar="OPERAND...")],
    rtl: Annotated[bool, typer.Option("--rtl", help="Also run the hardware.")] = False,
    as_json: Json = False,
) -> None:
    """Evaluate a unit on one set of operands.

    An operand with 0x or 0b in front is a code; any other is a value (1.5, -3, 1/3, inf, nan),
    which is rounded to the nearest code of its format. A unit that accumulates takes groups:
    1.5,2,-3 4,5,6.
    """
    from .units import unit

    u = unit(spec)
    for text in operands:  # which may begin with a minus, so that options are not told apart
        if text.startswith("--"):
            raise unknown("option of eval", text, ("--rtl", "--json", "--help"))
    if len(operands) != len(u.operands):
        raise InvalidInput(
            f"{u.family} takes {len(u.operands)} operands ({', '.join(u.operands)}), "
            f"not {len(operands)}"
        )
    codes = [
        _parse_operand(text, f, name, in_groups=bool(u.controls))
        for text, (name, f) in zip(operands, u.operands.items(), strict=True)
    ]
    rows = []
    for (name, f), code in zip(u.operands.items(), codes, strict=True):
        group = code if isinstance(code, list) else [code]
        rows += [_value_row(name, f, element) for element in group]
    golden = _result_rows(u, "golden", u(*codes))
    hardware = golden
    if rtl:
        from .flow.simulate import simulate

        hardware = _result_rows(u, "RTL", simulate(u)(*codes))
        rows += golden
    _print_rows(rows + hardware, as_json)
    if [row["code"] for row in hardware] != [row["code"] for row in golden]:
        raise HwarithError(f"golden model and RTL of {u.spec} differ: please report this")


def _result_rows(u: Unit, source: str, results: Any) -> list[dict[str, Any]]:
    codes = [results] if len(u.results) == 1 else results
    return [
        _value_row(f"{name} ({source})", f, int(code))
        for (name, f), code in zip(u.results.items(), codes, strict=True)
    ]


@app.command()
def generate(
    specs: Specs = None,
    output: Output = Path(),
    catalogue: Catalogue = False,
) -> None:
    """Write the Verilog of units, a file each."""
    from .files import output_folder, write_text
    from .flow.verilog import verilog

    units = _units(specs, catalogue)
    folder = output_folder(output)
    texts = {folder / f"{u.name}.v": verilog(u) for u in units}
    for path, text in texts.items():
        write_text(path, text)
        print(path)


@app.command()
def vectors(
    spec: Annotated[str, typer.Argument(metavar="SPEC")],
    number: Annotated[int, typer.Option("-n", help="How many vectors.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of what is random.")] = 1,
    output: Annotated[
        str, typer.Option("-o", "--output", help="File to write; - prints them.")
    ] = "-",
) -> None:
    """Write conformance vectors: operands and results in hexadecimal, by class of difficulty."""
    from .files import write_text
    from .flow.vectors import vectors

    text = vectors(spec, number, seed)
    if output == "-":
        print(text, end="")
    else:
        write_text(Path(output), text)


@app.command()
def regress(
    specs: Specs = None,
    catalogue: Catalogue = False,
    vectors: Annotated[int, typer.Option(help="Operand sets for each phase.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the random operands.")] = 1,
    as_json: Json = False,
) -> None:
    """Run the cocotb testbench on units, in Verilator."""
    from .flow.regress import regress

    units = _units(specs, catalogue)
    results = [regress(u, vectors=vectors, seed=seed) for u in _progress(units, "regress")]
    if as_json:
        _print_json([{"spec": result.spec} | result.as_dict() for result in results])
    else:
        for result in results:
            print(result)
    failed = [result.spec for result in results if result.failed]
    if failed:
        _fail(f"{len(failed)} of {len(results)} units failed: {', '.join(failed)}", 1)


@app.command()
def synth(
    specs: Specs = None,
    library: Libraries = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="area: mapped for area alone; cmos: cells, transistors, path; "
            "dsp: multiplier blocks of an FPGA allowed."
        ),
    ] = None,
    delay_target: DelayTarget = None,
    route: Annotated[
        bool,
        typer.Option(
            "--place-and-route",
            help="On ice40 and ecp5: the fastest clock between registers (extra pnr).",
        ),
    ] = False,
    catalogue: Catalogue = False,
    as_json: Json = False,
) -> None:
    """Synthesize units with yosys: area, delay, cells. With several libraries, a row for each."""
    from .flow.place_and_route import place_and_route
    from .flow.synthesize import synthesize

    libraries = library or ["generic"]
    todo = [(u, name) for u in _units(specs, catalogue) for name in libraries]
    found = []
    for u, name in _progress(todo, "synthesize"):
        cost = synthesize(u, name, recipe, delay_target)
        data = cost.as_dict()
        if route:
            routed = place_and_route(u, name, recipe)
            data |= {"device": routed.device, "fmax": routed.fmax}
            data["versions"] = routed.versions
        found.append(data)
    if as_json:
        _print_json(found)
        return
    rows = [_cost_row(cost, len(libraries) > 1) for cost in found]
    _print_table(_without_empty_columns(rows))
    recipes = ", ".join(dict.fromkeys(cost["recipe"] for cost in found))
    print(f"Library {', '.join(libraries)}, recipe {recipes}; {_versions(found[0])}")


def _versions(found: dict[str, Any]) -> str:
    return ", ".join(f"{tool} {version}" for tool, version in found["versions"].items())


def _without_empty_columns(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items()
             if any(r.get(key) is not None for r in rows)} for row in rows]  # fmt: skip


def _cost_row(cost: dict[str, Any], with_library: bool) -> dict[str, Any]:
    return {
        "spec": cost["spec"],
        "library": _short(cost["library"]) if with_library else None,
        f"area ({cost['area_unit']})": cost["area"],
        f"delay ({cost['delay_unit']})": cost["delay"],
        "delay target": cost["delay_target"],
        "depth": cost["depth"],
        "cells": cost["cells"],
        "flip-flops": cost["flip_flops"],
        "transistors": cost["transistors"],
        "LUTs": cost["luts"],
        "LUT4 equivalents": cost["lut4"],
        "carry cells": cost["carries"],
        "DSP blocks": cost["dsps"],
        "Fmax (MHz)": cost.get("fmax"),
        "device": cost.get("device"),
    }


def _short(library: str) -> str:
    """A library's name, or the name of its file."""
    return Path(library).name


@app.command()
def energy(
    specs: Specs = None,
    library: Libraries = None,
    recipe: Annotated[
        str | None, typer.Option(help="asic (default), or area: mapped for area alone.")
    ] = None,
    delay_target: DelayTarget = None,
    workload: Annotated[
        str | None,
        typer.Option(help="Operands of this workload (digits); default: random ones."),
    ] = None,
    by_type: Annotated[
        bool, typer.Option("--by-type", help="A row for each type of cell.")
    ] = False,
    catalogue: Catalogue = False,
    as_json: Json = False,
) -> None:
    """Energy per operation of mapped combinational units, from their switching activity.

    Without glitches and wires. Switching is the charging of what cells drive, internal what cells
    take inside, inputs what whatever drives the unit pays.
    """
    from .explore.workloads import workload as find_workload
    from .flow.energy import energy as energy_of

    libraries = library or ["generic"]
    source = find_workload(workload) if workload else None
    found = []
    for u in _progress(_units(specs, catalogue), "energy"):
        codes = source.run(u).operands if source else ()
        for name in libraries:
            result = energy_of(u, *codes, library=name, recipe=recipe, delay_target=delay_target)
            found.append(result.as_dict())
    if as_json:
        _print_json(found)
        return
    rows = []
    for cost in found:
        unit_of = cost["energy_unit"]
        start = {"spec": cost["spec"], "library": _short(cost["library"])}
        if by_type:
            rows += [
                start | {"cell": kind, "cells": x["cells"], f"energy ({unit_of})": x["energy"],
                         "leakage (nW)": x["leakage"]}
                for kind, x in cost["by_type"].items()
            ]  # fmt: skip
            continue
        figures = {f"{key} ({unit_of})": cost[key]
                   for key in ("energy", "switching", "internal", "inputs")}  # fmt: skip
        rows.append(start | figures | {"leakage (nW)": cost["leakage"], "toggles": cost["toggles"],
                                       "operations": cost["operations"]})  # fmt: skip
    _print_table(_without_empty_columns(rows))
    print(f"Recipe {found[0]['recipe']}; {_versions(found[0])}")


@app.command()
def sweep(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="TOML; default: the built-in sweep.")
    ] = None,
    output: Output = Path("report"),
    jobs: Annotated[int | None, typer.Option(help="Processes (default: all cores).")] = None,
    as_json: Json = False,
) -> None:
    """Run a sweep over design points; finished ones are kept and not run again."""
    from .explore.sweep import DEFAULT, run_sweep

    try:
        results = run_sweep(file or DEFAULT, output, jobs=jobs)
    except KeyboardInterrupt as interrupt:  # typer would end here without its message
        _fail(str(interrupt), 130)
    if as_json:
        _print_json([r.as_dict() for r in results])
    else:
        print(f"{len(results)} points in {output}; make the report: hwarith report {output}")


@app.command()
def cycles(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name, or a TOML file.")],
    configs: Annotated[
        list[str],
        typer.Option(
            "--config", help="A name, or rows=32,columns=32,dp=4,bits=4,serial=1. Repeatable."
        ),
    ],
    tokens: Annotated[int, typer.Option(help="Tokens of the prompt.")] = 256,
    generate: Annotated[int, typer.Option(help="Tokens to generate after the prompt.")] = 0,
    as_json: Json = False,
) -> None:
    """Count cycles and DRAM traffic of a language model on accelerators such as BitMoD.

    MODEL: opt-1.3b, phi-2, yi-6b, llama-2-7b, llama-2-13b, llama-3-8b, or a TOML file with
    layers, hidden, ffn, heads, kv_heads, vocab, gated. CONFIG: fp16, ant, olive, bitmod-lossless,
    bitmod, or your own. Speedups are over the first config.
    """
    from .explore.cycles import task
    from .explore.cycles_file import find_config, find_model

    shape = find_model(model)
    found = [(text, task(shape, find_config(text), tokens, generate)) for text in configs]
    results = {text: _cycle_rows(phases) for text, phases in found}
    if len(found) > 1:
        bases = [row["cycles"] for row in _cycle_rows(found[0][1])]
        for rows in results.values():
            for row, base in zip(rows, bases, strict=True):
                row["speedup"] = base / row["cycles"]
    if as_json:
        facts = {"model": model, "tokens": tokens, "generate": generate}
        of_each = [
            {"config": text, "operations": rows[:-1], "total": rows[-1]}
            for text, rows in results.items()
        ]
        _print_json(facts | {"configs": of_each})
        return
    generated = f" and {generate} generated" if generate else ""
    for text, rows in results.items():
        print(f"{model}, {text}: {tokens} tokens{generated}")
        _print_table([{_CYCLE_TITLES.get(key, key): row[key] for key in row} for row in rows])


_CYCLE_TITLES = {
    "compute_cycles": "compute cycles",
    "dram_cycles": "DRAM cycles",
    "dram_mb": "DRAM MB",
    "dram_uj": "DRAM uJ",
}


def _cycle_rows(phases: dict[str, dict[str, Cost]]) -> list[dict[str, Any]]:
    """A row for each operation and, last, for their total."""
    from .explore.cycles import total

    named = [(phase, name, c) for phase, costs in phases.items() for name, c in costs.items()]
    together = (", ".join(phases), "total", total(c for _, _, c in named))
    return [
        {
            "phase": phase,
            "operation": name,
            "cycles": c.cycles,
            "compute_cycles": c.compute_cycles,
            "dram_cycles": c.dram_cycles,
            "dram_mb": c.dram_bytes / 10**6,
            "dram_uj": c.dram_energy,
        }
        for phase, name, c in (*named, together)
    ]


@app.command()
def weights(
    types: Annotated[
        list[str] | None,
        typer.Argument(metavar="TYPE...", show_default=False, help="Default: all."),
    ] = None,
    group: Annotated[
        int | None, typer.Option(help="Weights that share a scale (default: 32).")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--weights", help="Your own, .npy or .npz; default: the digits network's."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for a report.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare types of weights: bits per weight, error, area per throughput.

    TYPE: int4, int4_asym, fp4, fp4_er, bitmod4, flint4, ant4, nupes4, mxfp4, fp16, ... or your own
    special values, fp3:5/-5. Arrays of your own have shape (..., n): groups run along the last
    axis. With -o: report.html, results.csv, results.json and report.png.
    """
    from .explore.report.weights import weight_rows, write_weights_report
    from .explore.weights import GROUP, digits, measure_weights, weight_types
    from .explore.weights_file import read_weights
    from .files import output_folder

    kinds = weight_types(types or ())
    source = read_weights(file) if file else digits()
    size = GROUP if group is None else group
    source.check_group(size)
    if output:
        output_folder(output)
    results = measure_weights(kinds, source, size, track=lambda items: _progress(items, "weights"))
    rows = weight_rows(results, source, size, types or ())
    page = write_weights_report(rows, output) if output else None
    if as_json:
        _print_json([result.as_dict() for result in results])
        return
    _print_table([_weight_row(rows, row) for row in rows.rows])
    for reason, names in rows.reasons.items():
        print(f"No PE for {', '.join(names)}: {reason}")
    if page:
        print(page)


def _weight_row(rows: WeightRows, row: WeightRow) -> dict[str, Any]:
    figures: dict[str, Any] = {"type": row.result.type}
    for key in rows.hover:
        if key == "area":
            figures["PE"] = row.result.pe
        column = rows.columns[key]
        value = rows.value(key, row)
        unit = f" ({column.shown_unit})" if column.shown_unit else ""
        figures[column.short + unit] = None if value is None else float(f"{value:.4g}")
    return figures


@app.command()
def report(folder: Annotated[Path, typer.Argument(metavar="FOLDER")]) -> None:
    """Make report.html, .csv, .json and .png of a sweep's folder."""
    from .explore.report import write_report

    print(write_report(folder))


# -- helpers -------------------------------------------------------------------------------------


def _units(specs: list[str] | None, catalogue: bool) -> list[Unit]:
    from .units import unit

    if catalogue:
        from .units.catalogue import CATALOGUE

        specs = [*CATALOGUE.values(), *(specs or [])]
    if not specs:
        raise InvalidInput("name at least one SPEC, such as mul:a=bf16 (hwarith list shows units)")
    return [unit(spec) for spec in specs]


def _describe(f: Format) -> dict[str, Any]:
    n = f.numbers
    return {
        "format": f.name,
        "bits": f.bits,
        "exponent": f.exponent_bits if f.is_float else None,
        "fraction": f.fraction_bits if f.is_float else None,
        "bias": f.bias if f.is_float else None,
        "max": float(f.max),
        "min normal": float(f.smallest_normal),
        "min": float(f.smallest),
        "inf": f.infinity,
        "nan": f"{n.nan_code:#x}" if n.nan_code >= 0 else None,
        "-0": f.has_negative_zero,
    }


def _parse_operand(text: str, f: Format, name: str, in_groups: bool) -> Any:
    """The code that a text gives, or a list of the codes of a group, with commas between."""
    if in_groups:
        return [_parse_operand(part, f, name, False) for part in text.split(",")]
    from fractions import Fraction

    try:
        if text.lower().startswith(("0x", "0b")):
            return int(f.check(int(text, 0), f"operand {name}"))
        if text.lower().lstrip("+-") in ("inf", "infinity", "nan") or set(text) <= set("+-0."):
            return int(f.encode(float(text), overflow="satprop"))
        return int(f.encode(Fraction(text)))
    except (ValueError, ZeroDivisionError) as error:
        if isinstance(error, HwarithError):
            raise
        raise InvalidInput(
            f"operand {name}: {text!r} is neither a code (0x...) nor a number"
        ) from None


def _value_row(name: str, f: Format, code: int) -> dict[str, Any]:
    value = f.decode(code)
    return {
        "": name,
        "format": f.name,
        "code": f"0x{code:0{(f.bits + 3) // 4}X}",
        "value": value.item() if hasattr(value, "item") else str(value),
    }


def _progress(items: list[Any], what: str) -> Iterable[Any]:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, what, console=console, disable=not console.is_terminal, transient=True)


def _print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        _print_json([{key or "name": value for key, value in row.items()} for row in rows])
    else:
        _print_table(rows)


def _print_json(data: Any) -> None:
    print(json.dumps(data, indent=2, default=str))


def _print_table(rows: list[Mapping[str, Any]] | list[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=400)
    keys = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for key in keys:
        numbers = all(isinstance(row.get(key), int | float | None) for row in rows)
        table.add_column(key, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(key)) for key in keys))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{k} {_cell(v)}" for k, v in value.items())
    return str(value)
