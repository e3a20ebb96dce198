"""The command line: a thin skin over the public API.

Whatever is slow to import is imported by the command that needs it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ..errors import HwarithError, InvalidInput, unknown

if TYPE_CHECKING:
    from ..explore.compare import Compared
    from ..explore.cycles import Cost
    from ..flow.synthesis.breakdown import Breakdown, Part
    from ..formats import Format
    from ..report.model.against import Changes
    from ..report.model.weights import WeightRow, WeightRows
    from ..units import Unit

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
Operands = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Operands of your own, .npy or .npz."),
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
    from ..formats import NAMED, PATTERNS
    from ..units import FAMILIES, family

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
    from ..units import unit

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
    from ..units import unit

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
        from ..flow.simulate import simulate

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
    from ..files import output_folder, write_text
    from ..flow.verilog import verilog

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
    from ..files import write_text
    from ..flow.vectors import vectors

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
    from ..flow.regress import regress

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
    by_part: Annotated[
        bool,
        typer.Option("--breakdown", help="What each step takes: unpack, product, align, ..."),
    ] = False,
    catalogue: Catalogue = False,
    as_json: Json = False,
) -> None:
    """Synthesize units with yosys: area, delay, cells. With several libraries, a row for each."""
    from ..flow.synthesis.place_and_route import place_and_route
    from ..flow.synthesis.synthesize import synthesize

    libraries = library or ["generic"]
    todo = [(u, name) for u in _units(specs, catalogue) for name in libraries]
    if by_part:
        if route or delay_target is not None:
            raise InvalidInput("--breakdown goes with neither --place-and-route nor --delay-target")
        _break_down(todo, recipe, as_json)
        return
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


def _break_down(todo: list[tuple[Unit, str]], recipe: str | None, as_json: bool) -> None:
    """A table for each unit and library."""
    from ..flow.synthesis.breakdown import breakdown

    found = [breakdown(u, name, recipe) for u, name in _progress(todo, "break down")]
    if as_json:
        _print_json([parts.as_dict() for parts in found])
        return
    for parts in found:
        print(f"{parts.spec}, library {_short(parts.library)}, recipe {parts.recipe}")
        _print_table(_without_empty_columns(_part_rows(parts)))
        flat = {"area": parts.flat_area, "delay": parts.flat_delay}
        figures = ", ".join(f"{key} {_cell(x)}" for key, x in flat.items() if x is not None)
        print(f"Mapped as one: {figures}; the area by parts differs by {parts.difference:+.1%}\n")
    print(_versions(found[0].as_dict()))


def _part_rows(found: Breakdown) -> list[dict[str, Any]]:
    rows = [
        {"part": "  " * depth + part.name.replace("_", " "),
         "instances": part.instances if part.instances > 1 else None}
        | _part_figures(found, part, part.share)
        for depth, part in found.rows()
    ]  # fmt: skip
    return [*rows, {"part": "all"} | _part_figures(found, found, 1.0)]


def _part_figures(found: Breakdown, part: Part | Breakdown, share: float) -> dict[str, Any]:
    return {
        "cells": part.cells, "flip-flops": part.flip_flops or None,
        f"area ({found.area_unit})": part.area, "share (%)": round(100 * share, 1),
        f"delay ({found.delay_unit})": part.delay,
    }  # fmt: skip


def _versions(found: dict[str, Any]) -> str:
    return ", ".join(f"{tool} {version}" for tool, version in found["versions"].items())


def _without_empty_columns(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items()
             if any(r.get(key) is not None for r in rows)} for row in rows]  # fmt: skip


def _cost_row(cost: dict[str, Any], with_library: bool = False) -> dict[str, Any]:
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
    operands: Operands = None,
    by_type: Annotated[
        bool, typer.Option("--by-type", help="A row for each type of cell.")
    ] = False,
    catalogue: Catalogue = False,
    as_json: Json = False,
) -> None:
    """Energy per operation of mapped units, from their switching activity.

    Without glitches and wires. Switching is the charging of what cells drive, internal what cells
    take inside, clock the charging of the registers' clock pins, inputs what whatever drives the
    unit pays. The operation of a unit with registers is a transfer, at full throughput. Operands of
    a file come in its order (hwarith errors --help says what is in it).
    """
    from ..explore.operands_file import read_operands
    from ..explore.workloads import workload as find_workload
    from ..flow.energy.measure import energy as energy_of
    from ..units.chain import seen_inside

    if workload and operands:
        raise InvalidInput("operands are those of a workload or of a file, not of both")
    libraries = library or ["generic"]
    source = find_workload(workload) if workload else None
    found = []
    for u in _progress(_units(specs, catalogue), "energy"):
        if operands:
            codes = seen_inside(u, read_operands(u, operands))
        else:
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
                   for key in ("energy", "switching", "internal", "clock", "inputs")}  # fmt: skip
        rest = {key: cost[key] for key in ("toggles", "clocks", "operations")}
        rows.append(start | figures | {"leakage (nW)": cost["leakage"]} | rest)
    _print_table(_without_empty_columns(rows))
    print(f"Recipe {found[0]['recipe']}; {_versions(found[0])}")


@app.command()
def sweep(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="TOML; default: the built-in sweep.")
    ] = None,
    output: Output = Path("report"),
    jobs: Annotated[int | None, typer.Option(help="Processes (default: all cores).")] = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run on the Dask cluster of this scheduler."),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(metavar="N", help="Measure N points, picked to find the Pareto front."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a sweep over design points; finished ones are kept and not run again."""
    from ..explore.sweep import DEFAULT, run_sweep

    try:
        results = run_sweep(file or DEFAULT, output, jobs=jobs, dask=dask, budget=budget)
    except KeyboardInterrupt as interrupt:  # typer would end here without its message
        _fail(str(interrupt) or "interrupted", 130)
    if as_json:
        _print_json([r.brief() for r in results])
    else:
        print(f"{len(results)} points in {output}; make the report: hwarith report {output}")


@app.command()
def compare(
    specs: Specs = None,
    library: Annotated[
        str, typer.Option(help="generic, osu018, xc7, ice40, ecp5, ..., or a Liberty file.")
    ] = "generic",
    workload: Annotated[
        str | None, typer.Option(help="Also run a network on the units: digits.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Set units side by side: area, delay, energy, errors, and ratios to the first one."""
    from ..explore.compare import OPERATIONS, SOURCES, compare

    units = _units(specs, False)
    found = compare(units, library, workload, track=lambda items: _progress(items, "compare"))
    ratios = [one.ratios(found[0]) for one in found]
    if as_json:
        _print_json([one.as_dict() | {"ratios": r} for one, r in zip(found, ratios, strict=True)])
        return
    texts = specs or []
    rows = []
    for one, text, ratio in zip(found, texts, ratios, strict=True):
        times = {f"{key}/1st": r and round(r, 3) for key, r in ratio.items()}
        costs = _cost_row(one.cost.as_dict()) | {"spec": text}
        if one.energy:
            costs[f"energy ({one.energy.energy_unit})"] = one.energy.energy
        rows.append(costs | (times if len(found) > 1 else {}) | _error_row(one))
    keys = dict.fromkeys(key for row in rows for key in row)
    there = [key for key in keys if any(row.get(key) not in (None, 0) for row in rows)]
    _print_table([{key: row.get(key) for key in there} for row in rows])
    for source in dict.fromkeys(one.source for one in found if one.source):
        of = [text for one, text in zip(found, texts, strict=True) if one.source == source]
        print(f"Errors on {SOURCES[source]}: {' '.join(of)}")
    if not workload and any(one.energy for one in found):
        print(f"Energy of {OPERATIONS} of the random sets")
    for reason in dict.fromkeys(one.reason for one in found if one.reason):
        print(f"No errors: {reason}")
    print(f"Library {found[0].cost.library}" + (f", workload {workload}" if workload else ""))


_COMPARED = {
    "error_rate": "ER", "mred": "MRED", "nmed": "NMED", "max_ulp": "max ulp", "sqnr": "SQNR (dB)",
    "accuracy": "accuracy", "output_error": "output error",
}  # fmt: skip


def _error_row(one: Compared) -> dict[str, str]:
    """The errors that compare units, for readers."""
    from ..report.model.columns import columns

    figures = (one.evaluation.metrics if one.evaluation else {}) | {
        "accuracy": one.accuracy,
        "output_error": one.output_error,
    }
    written = columns([])
    return {
        title: written[key].write(value)
        for key, title in _COMPARED.items()
        if (value := figures.get(key)) is not None
    }


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
    from ..explore.cycles import task
    from ..explore.cycles_file import find_config, find_model

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
    from ..explore.cycles import total

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
def errors(
    spec: Annotated[str, typer.Argument(metavar="SPEC")],
    operands: Operands = None,
    as_json: Json = False,
) -> None:
    """Print error metrics of a unit: on all operand codes, or on your own operands.

    An .npz file has an array under the name of each operand, an .npy file one array whose first
    axis is that of the operands. Unsigned integers are codes; others are values, which are rounded.
    """
    from ..explore.metrics import COUNTS, METRICS, evaluate
    from ..explore.operands_file import read_operands
    from ..units import unit

    u = unit(spec)
    found = evaluate(u, read_operands(u, operands) if operands else None)
    if as_json:
        _print_json({"spec": u.spec, "metrics": found.metrics, "counts": found.counts})
        return
    _print_table([
        {"": METRICS[key].title, "value": value, "unit": METRICS[key].unit}
        for key, value in found.metrics.items()
    ])  # fmt: skip
    _print_table([{"sets": n, "": COUNTS[key]} for key, n in found.counts.items()])


@app.command()
def transformer(
    specs: Specs = None,
    pairs: Annotated[int, typer.Option(help="Docstrings to find, of numpy and scipy.")] = 96,
    tokens: Annotated[int, typer.Option(help="Tokens that texts are cut to.")] = 32,
    weights: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Of the weights: bitmod4, int4, mxfp4, ...")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a transformer on units: all-MiniLM-L6-v2 finds docstrings by their first lines.

    Every product of matrices runs through the unit, bit-accurately; float32 stands for numpy's own
    arithmetic. Cosines are those of the embeddings to float32's with unquantized weights.
    """
    from ..explore.workloads.minilm.task import multiply_adds, products_of, run_products

    if not specs:
        raise InvalidInput("name at least one SPEC, such as fma:a=bf16,c=fp32,out=fp32, or float32")
    arithmetics = [(spec, None if spec == "float32" else spec) for spec in specs]
    for _, spec in arithmetics:  # a mistake in the last one is told before anything runs
        products_of(spec, weights)
    total = multiply_adds(pairs, tokens)
    found = []
    with _progress_to(total * len(arithmetics), "multiply-adds") as advance:
        for _, spec in arithmetics:
            found.append(run_products(products_of(spec, weights, advance), pairs, tokens))
    if as_json:
        _print_json([outcome.as_dict() for outcome in found])
        return
    _print_table([
        {
            "unit": name, "weights": outcome.weights or "",
            "recall@1": round(outcome.recall, 3), "MRR": round(outcome.mrr, 3),
            "mean cosine": round(outcome.mean_cosine, 5),
            "min cosine": round(outcome.min_cosine, 5),
            "seconds": round(outcome.seconds, 1),
            "G multiply-adds/s": round(outcome.rate / 1e9, 2),
        }
        for (name, _), outcome in zip(arithmetics, found, strict=True)
    ])  # fmt: skip
    print(
        f"{pairs} pairs of texts of up to {tokens} tokens, {total / 1e9:.1f} G multiply-adds a unit"
    )


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
    from ..explore.weights import GROUP, digits, measure_weights, read_weights, weight_types
    from ..files import output_folder
    from ..report.model.weights import weight_rows, write_weights_report

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
def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER")],
    against: Annotated[
        Path | None, typer.Option(help="Folder of another sweep: what changed since?")
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Also results.parquet.")] = False,
) -> None:
    """Make report.html, .png and .svg, results.csv and .json of a sweep's folder."""
    from ..report import report_of, write_rows

    content = report_of(folder, against)
    page = write_rows(content, folder, parquet=parquet)
    if content.changes:
        _print_changes(content.changes)
    print(page)


def _print_changes(changes: Changes) -> None:
    print(changes.summary)
    for title, what in (
        ("Also different", changes.notes),
        ("Only here", changes.only_after),
        ("Only there", changes.only_before),
    ):
        if what:
            print(f"{title}: {'; '.join(what)}")
    if changes.moves:
        titles = ("there", "here", "change")
        _print_table(
            [
                {"unit": move.point.label, "figure": move.column.title}
                | dict(zip(titles, move.written, strict=True))
                for move in changes.moves
            ]
        )


# -- helpers -------------------------------------------------------------------------------------


def _units(specs: list[str] | None, catalogue: bool) -> list[Unit]:
    from ..units import unit

    if catalogue:
        from ..units.catalogue import CATALOGUE

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


@contextmanager
def _progress_to(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A bar on standard error if that is a terminal; gives what to tell of each advance."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)


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
