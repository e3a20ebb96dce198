"""Commands about what there is and what it computes: list, show, eval."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..exceptions import HwarithError, unknown
from ..tables import Row, Table
from .completion import complete_name
from .options import Json, Spec, Verbose
from .output import print_json, print_prose, print_rows, print_table, print_tables

if TYPE_CHECKING:
    from ..formats import BlockFormat, Format
    from ..units import Unit


def list_(verbose: Verbose = False, as_json: Json = False) -> None:
    """List the units and the formats."""
    from ..units.shown import list

    found = list()
    if as_json:
        print_json(found.as_dict())
        return
    units, formats, blocks = found.tables(exact=verbose)
    print_tables([units, formats], verbose)
    print_prose("Also: " + ", ".join(found.patterns))
    print_table(blocks, verbose)


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete_name)],
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Everything; of a format all its values.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show a unit or a format. NAME is a unit, a SPEC or a format.

    Of a unit: what it computes, its contract, ports, parameters and what is known of it
    (docs/interface.md has the rules of the ports, docs/rounding.md those of the results,
    docs/evidence.md what was compared and proved). Of a format: its fields, range and special
    codes, and what other libraries call it; with -v the values of all codes of up to 8 bits.
    """
    from ..units import Unit
    from ..units.shown import show

    found = show(name)
    if isinstance(found, Unit):
        _show_unit(found, verbose, as_json)
    else:
        _show_format(found, verbose, as_json)


def _show_unit(u: Unit, verbose: bool, as_json: bool) -> None:
    from ..flow.evidence import evidence
    from ..units.interface import about
    from ..units.text import parameter_rows, port_rows, unit_row

    known = evidence(u)
    if as_json:
        tables = {"ports": port_rows(u), "parameters": parameter_rows(u)}
        print_json(unit_row(u) | {"about": about(u)} | tables | {"evidence": known.as_dict()})
        return
    facts, *tables_of_ports = u.tables()
    print_table(facts, verbose)
    print_prose(about(u))
    rows = known.rows()
    print_tables([*tables_of_ports, *[Table(rows)] * bool(rows)], verbose)
    if not rows:
        print("No evidence is kept of this unit. Try: hwarith regress, prove, mutate.")


def _show_format(f: Format | BlockFormat, verbose: bool, as_json: bool) -> None:
    from ..formats.facts import code_values, format_facts, format_tables

    if as_json:
        print_json(format_facts(f) | ({"values": code_values(f)} if verbose else {}))
    else:
        print_tables(format_tables(f, values=verbose), verbose)


def eval_(
    spec: Spec,
    operands: Annotated[list[str], typer.Argument(metavar="OPERAND...")],
    rtl: Annotated[bool, typer.Option("--rtl", help="Also run the hardware.")] = False,
    as_json: Json = False,
) -> None:
    """Evaluate a unit on one set of operands.

    An operand with 0x or 0b in front is a code; any other is a value (1.5, -3, 1/3, 0x1.8p3, inf,
    nan), which is rounded to the nearest code of its format, or clipped, and that is said. A unit
    that accumulates takes groups, and one of blocks takes blocks, of which codes 0 may be left
    out at the end: 1.5,2,-3 4,5,6. An array takes matrices, row by row: "1,2;3,4" "5,6;7,8".
    """
    from ..units import unit
    from ..units.text import codes_of_texts, flat

    u = unit(spec)
    for text in operands:  # which may begin with a minus, so that options are not told apart
        if text.startswith("--"):
            raise unknown("option of eval", text, ("--rtl", "--json", "--help"))
    codes, notes = codes_of_texts(u, operands)
    for note in notes:
        print(note, file=sys.stderr)
    formats = u.code_formats
    rows: list[Row] = [
        _named(name, formats[name], code)
        for name, given in zip(u.operands, codes, strict=True)
        for code in flat(given)
    ]
    golden = _result_rows(u, "golden", u(*codes))
    hardware = golden
    if rtl:
        from ..flow.simulate import simulate

        hardware = _result_rows(u, "RTL", simulate(u)(*codes))
        rows = [*rows, *golden]
    print_rows([*rows, *hardware], as_json, verbose=False, exact=("value",))
    if [row["code"] for row in hardware] != [row["code"] for row in golden]:
        raise HwarithError(f"golden model and RTL of {u.spec} differ: please report this")


def _result_rows(u: Unit, source: str, results: Any) -> list[dict[str, object]]:
    import numpy as np

    codes = [results] if len(u.results) == 1 else results
    formats = u.code_formats
    return [
        _named(f"{name} ({source})", formats[name], int(code))
        for name, block in zip(u.results, codes, strict=True)
        for code in np.ravel(block)
    ]


def _named(name: str, f: Format, code: int) -> dict[str, object]:
    from ..formats.text import code_row

    return {"": name} | code_row(f, code)
