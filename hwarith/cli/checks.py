"""Commands that hold other people's work and ours to each other: check, conform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..exceptions import InvalidInput, quoted
from .options import Json, Spec, Verbose
from .output import fail, print_json, print_tables


def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", show_default=False)],
    top: Annotated[str, typer.Option(metavar="NAME", help="The module.")],
    against: Annotated[str, typer.Option(metavar="SPEC", help="The unit that it must equal.")],
    ports: Annotated[
        str,
        typer.Option(
            metavar="a=x,b=y",
            help="Its names of ports, by the unit's, where they differ; rst=~rst_n is active low.",
        ),
    ] = "",
    latency: Annotated[
        int | None,
        typer.Option(help="Clocks from operands to results, no handshake.", show_default=False),
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="It has valid and ready.")] = False,
    flags: Annotated[
        str | None,
        typer.Option(metavar="PORT", help="Its exception flags.", show_default=False),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="K=V", help="A parameter of it; may be repeated.", show_default=False),
    ] = None,
    tie: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PORT=N", help="A number at an input; may be repeated.", show_default=False
        ),
    ] = None,
    vectors: Annotated[
        int | None,
        typer.Option(help="How many results (2^24, fewer with a clock).", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is random.")] = 1,
    nan: Annotated[
        str, typer.Option(help="any: any NaN is as good as the unit's; bits: compare its bits.")
    ] = "any",
    most: Annotated[int, typer.Option(help="How many differences to show.")] = 10,
    prove: Annotated[
        bool, typer.Option("--prove", help="Then prove it equal for every input, if it can be.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds for the proof.")] = 600,
    report: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit's XML as well.")
    ] = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Compare your own Verilog or SystemVerilog with the golden model of a unit.

    Every combination of operands is tried, or vectors of every class and random ones. Wrong results
    are shown with what explains them. Exit status 1 if there are any; 3 if a proof that was asked
    for is undecided.
    """
    from ..files import check_writable, write_text
    from ..flow.checking import check
    from ..flow.regression import junit

    if report:
        check_writable(report)
    result = check(
        files,
        top,
        against,
        ports=_pairs("--ports", ports.split(",") if ports.strip() else []),
        latency=latency,
        stream=stream,
        flags=flags,
        params=_pairs("--param", param or []),
        ties=_pairs("--tie", tie or []),
        vectors=vectors,
        seed=seed,
        nan=nan,
        most=most,
        prove=timeout if prove else None,
    )
    if report:
        write_text(report, junit([result]))
    if as_json:
        print_json(result.as_dict())
    else:
        print(result)
        print_tables(result.tables()[1:], verbose)
    if not result.passed:
        wrong = f"{result.differing:,} of {result.results:,} results are wrong"
        fail(f"{result.top} is not {result.spec}: {wrong}", 1)
    if result.proof and result.proof.verdict == "undecided":
        fail(f"whether {result.top} is {result.spec} for every input is undecided", 3)


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    """What an option gives as NAME=VALUE."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not name or not equals or not value:
            raise InvalidInput(f"{option}: give NAME=VALUE, not {quoted(text)}")
        if name in found:
            raise InvalidInput(f"{option}: {quoted(name)} is given twice")
        found[name] = value
    return found


def conform(
    spec: Spec,
    level: Annotated[
        list[int] | None,
        typer.Option(help="TestFloat's level, 1 or 2 (default: both).", show_default=False),
    ] = None,
    rtl: Annotated[bool, typer.Option("--rtl/--no-rtl", help="Also run the hardware.")] = True,
    cases: Annotated[
        int | None, typer.Option(help="At most so many of each level.", show_default=False)
    ] = None,
    most: Annotated[int, typer.Option(help="How many differences to show.")] = 10,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Run Berkeley TestFloat's cases through a unit: its golden model, and its hardware.

    `testfloat_gen` must be on PATH. Exit status 1 if results or flags differ.
    """
    from ..flow.vectors import conform
    from ..flow.vectors.conformance import LEVELS

    result = conform(spec, level or LEVELS, rtl, cases, most)
    if as_json:
        print_json(result.as_dict())
    else:
        print(result)
        print_tables(result.tables()[1:], verbose)
    if not result.passed:
        wrong = ", ".join(
            f"{count} from the {source}" for source, count in result.differing.items()
        )
        fail(f"{result.spec}: results of TestFloat differ: {wrong}", 1)
