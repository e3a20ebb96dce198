"""The records of evidence: what fills them, and the tables of docs/evidence.md and docs/open.md.

    python docs/evidence.py tests FILE    what a run of the tests compared (pytest --evidence FILE)
    python docs/evidence.py testfloat     TestFloat's cases, where testfloat_gen is on PATH
    python docs/evidence.py ibm FILE      IBM's suite, its .fptest files as one
    python docs/evidence.py proofs        the proofs of docs/proved.py that have not been tried
    python docs/evidence.py mutants       the faults of docs/mutated.py that have not been tried
    python docs/evidence.py changed       drop what is of Verilog that has changed

With ``--again`` also those that have, and TestFloat's. Records are in
``hwarith/flow/evidence/records.json``, of units of which golden models alone were compared only
totals of their families. ``python docs/figures.py --pages`` writes the pages.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import hwarith as hw  # noqa: E402
from docs.mutated import CAMPAIGN, mutated  # noqa: E402
from docs.proved import GROUPS, proof  # noqa: E402
from hwarith.flow import tools  # noqa: E402
from hwarith.flow.evidence import Compared, Evidence, Mutated, Proved, Records  # noqa: E402
from hwarith.flow.evidence import records as kinds  # noqa: E402
from hwarith.flow.evidence.records import Total  # noqa: E402
from hwarith.flow.vectors.conformance import Conformed, flagged  # noqa: E402
from hwarith.flow.vectors.run import Run  # noqa: E402
from hwarith.units import Unit  # noqa: E402
from hwarith.units.catalogue import CATALOGUE  # noqa: E402
from hwarith.units.registry import FAMILIES  # noqa: E402

CATALOGUED = {spec: name for name, spec in CATALOGUE.items()}

FLOATS = ("fp16", "fp32", "fp64")
WHOLE = ("int32", "int64", "uint32", "uint64")
TESTFLOAT = (
    *(f"{u}:a={f},round=port" for f in FLOATS for u in ("mul", "add", "fma")),
    *(f"add:a={f},op=sub,round=port" for f in FLOATS),
    *(
        f"convert:a={a},out={b},round={mode}"
        for a in (*FLOATS, *WHOLE)
        for b in FLOATS
        for mode in ("rne", "rna", "rtz", "rup", "rdn", "rto")
        if a != b
    ),
    *(f"cmp:a={f},op={op}" for f in FLOATS for op in ("lt", "le", "eq")),
)
CASES = 2_000_000
"""Of each function, mode and level of TestFloat at most so many."""

IBM = tuple(
    f"{u},{options}"
    for u in ("mul:a=fp32", "add:a=fp32", "add:a=fp32,op=sub", "fma:a=fp32")
    for options in ("round=rne", "round=port,flags=after")
)


def today() -> str:
    """The day, as records have it."""
    return datetime.now(UTC).date().isoformat()


# -- what fills the records ------------------------------------------------------------------------


SOLVERS = ("bitwuzla", "z3-solver")


@cache
def versions() -> dict[str, str]:
    """Of all that records depend on."""
    return tools.versions() | {name: version(name) for name in SOLVERS}


def of_now(records: Records, u: Unit) -> Evidence:
    """What is known of a unit as it is now, the day's versions noted."""
    records.versions[today()] = versions()
    return records.of_today(u)


def of_each(
    records: Records,
    specs: Iterable[str],
    kind: str,
    measured: Callable[[str], Proved | Mutated],
    again: bool,
) -> None:
    """What proofs find, or what becomes of faults, of those units that were not tried."""
    for spec in specs:
        u = hw.unit(spec)
        known = of_now(records, u)
        if again or getattr(known, kind) is None:
            found = measured(spec)
            records.units[u.spec] = replace(known, **{kind: found})  # type: ignore[arg-type]
            print(f"{spec}: {found}", flush=True)
            records.write()


def of_proofs(records: Records, again: bool) -> None:
    """What proofs find."""
    specs = [spec for group in GROUPS.values() for spec in group]
    of_each(records, specs, "proof", lambda spec: Proved(*proof(spec), today()), again)


def of_mutants(records: Records, again: bool) -> None:
    """What becomes of faults."""
    of_each(records, CAMPAIGN, "mutants", lambda x: Mutated(*mutated(x), today()), again)


def of_tests(records: Records, file: Path) -> None:
    """What a run of the tests compared; of several of the same that of most results."""
    most: dict[str, dict[str, tuple[bool, int]]] = defaultdict(dict)
    for what, spec, every, results in json.loads(file.read_text(encoding="utf-8")):
        if spec.partition(":")[0] in FAMILIES:  # not one that a test has made
            most[spec][what] = max(most[spec].get(what, (False, 0)), (every, results))
    kept = CATALOGUED.keys() | {e.spec for e in records if e.proof or e.mutants}
    rest: dict[str, list[tuple[bool, int]]] = defaultdict(list)
    for spec, found in most.items():
        if spec not in kept and found.keys() == {kinds.EXACT}:
            rest[spec.partition(":")[0]].append(found[kinds.EXACT])
            continue
        e = of_now(records, hw.unit(spec))
        for what, (every, results) in found.items():
            e = e.with_compared(what, Compared(results, 0, every, today()))
        records.units[spec] = e
    for family, compared in rest.items():
        every, results = (sum(column) for column in zip(*compared, strict=True))
        total = Total(len(compared), every, results, today())
        old = records.totals.get(family, total)
        records.totals[family] = max(total, old, key=lambda x: x.results)


def of_testfloat(records: Records, again: bool) -> None:
    """What TestFloat says."""
    for spec in TESTFLOAT:
        whole = flagged(hw.unit(spec)).spec
        if again or kinds.TESTFLOAT not in records.of(whole).compared:
            found = hw.conform(spec, cases=CASES)
            print(found, flush=True)
            add_suite(records, kinds.TESTFLOAT, found)


def of_ibm(records: Records, file: Path) -> None:
    """What IBM's suite says."""
    for spec in IBM:
        found = hw.run_vectors(spec, file, rtl=True)
        print(found, flush=True)
        add_suite(records, kinds.IBM, found)


def add_suite(records: Records, what: str, found: Run | Conformed) -> None:
    """Keep what a suite said."""
    differing = max(found.differing.values())
    result = Compared(found.results, differing, False, today())
    known = of_now(records, hw.unit(found.spec))
    records.units[found.spec] = known.with_compared(what, result)
    records.write()


def drop_changed(records: Records) -> None:
    """Drop what is known of Verilog that has changed since."""
    for e in [*records]:
        if kinds.digest(hw.unit(e.spec)) != e.verilog:
            print(f"changed: {e.spec}", flush=True)
            del records.units[e.spec]


# -- tables ----------------------------------------------------------------------------------------


def tables(records: Records) -> dict[str, Callable[..., str]]:
    """The tables by name, as the pages call them."""
    rows: dict[str, Callable[..., list[list[str]]]] = {
        "families": lambda: families(records),
        "evidence_of_units": lambda: units(records),
        "open_proofs": lambda: unproven(records),
        "differing": lambda: differing(records),
        "days": lambda: days(records),
        "proofs": lambda: proofs(records),
        "proved": lambda group: proved(records, group),
        "mutants": lambda: mutants(records),
    }

    def lines(rows: Callable[..., list[list[str]]]) -> Callable[..., str]:
        return lambda *given: "\n".join(f"| {' | '.join(cells)} |" for cells in rows(*given))

    return {name: lines(function) for name, function in rows.items()} | {
        "without_proof": lambda: without_proof(records),
        "without_hardware": lambda: without_hardware(records),
    }


def proofs(records: Records) -> list[list[str]]:
    """A row for each group of docs/proved.py: configurations, how many are proven, how fast."""
    table = []
    for group, specs in GROUPS.items():
        found = [proof_of(records, spec) for spec in specs]
        proven = sorted(x.seconds for x in found if x.verdict == "proven")
        times = [f"{proven[len(proven) // 2]:.1f}", f"{proven[-1]:.1f}"] if proven else ["", ""]
        table.append([group, str(len(found)), str(len(proven)), *times])
    return table


def proved(records: Records, group: str) -> list[list[str]]:
    """A row for each configuration of a group: the verdict."""
    return [
        [f"`{spec}`", found.verdict, f"{found.seconds:.1f}", str(found.cases)]
        for spec in GROUPS[group]
        for found in [proof_of(records, spec)]
    ]


def proof_of(records: Records, spec: str) -> Proved:
    """What a proof found; an error if it has not been tried."""
    if found := records.of(hw.unit(spec).spec).proof:
        return found
    raise KeyError(f"no proof of {spec} is kept: python docs/evidence.py proofs")


def mutants(records: Records) -> list[list[str]]:
    """A row for each unit of docs/mutated.py, and all: what became of the faults."""
    found: dict[str, list[int]] = {}
    for spec in CAMPAIGN:
        x = records.of(hw.unit(spec).spec).mutants
        if x is None:
            raise KeyError(f"no faults of {spec} are kept: python docs/evidence.py mutants")
        counts = [x.places, x.faults, x.simulation, x.regression, x.exhaustive, x.proof, x.left]
        found[f"`{spec}`"] = counts
    found["all"] = [sum(column) for column in zip(*found.values(), strict=True)]
    return [[name, *(grouped(x) or "0" for x in counts)] for name, counts in found.items()]


def by_family(records: Records) -> dict[str, list[Evidence]]:
    """Records by the family of their units, in the order of the families."""
    found: dict[str, list[Evidence]] = {family: [] for family in FAMILIES}
    for e in records:
        found[e.spec.partition(":")[0]].append(e)
    return found


def families(records: Records) -> list[list[str]]:
    """A row for each family: units with records; those of which the hardware was compared, with
    every combination of operands and with some, and how many results; totals of golden models;
    units that are proven; faults that were found, or change nothing, of how many."""
    table = []
    for family, found in by_family(records).items():
        hardware = [e.compared[kinds.HARDWARE] for e in found if kinds.HARDWARE in e.compared]
        every = sum(x.every for x in hardware)
        exact = [e.compared[kinds.EXACT] for e in found if kinds.EXACT in e.compared]
        total = records.totals.get(family, Total(0, 0, 0, ""))
        proofs = [e.proof for e in found if e.proof]
        mutants = [e.mutants for e in found if e.mutants]
        table.append(
            [
                f"`{family}`",
                str(len(found)),
                str(every or ""),
                str(len(hardware) - every or ""),
                grouped(sum(x.results for x in hardware)),
                str(len(exact) + total.units or ""),
                grouped(sum(x.results for x in exact) + total.results),
                f"{sum(x.verdict == 'proven' for x in proofs)} of {len(proofs)}" * bool(proofs),
                faults(mutants),
            ]
        )
    return table


def faults(mutants: list[Mutated]) -> str:
    """How many faults were found, and how many change nothing, of how many."""
    if not mutants:
        return ""
    found, all_faults = sum(x.found for x in mutants), sum(x.faults for x in mutants)
    nothing = sum(x.exhaustive + x.proof for x in mutants)
    return f"{found} + {nothing} of {all_faults}"


def units(records: Records) -> list[list[str]]:
    """A row for each unit of the catalogue, and each that was proved, tried with faults or held to
    the results of others."""
    table = []
    for found in by_family(records).values():
        for e in sorted(found, key=lambda e: e.spec):
            others = {what: e.compared[what] for what in kinds.REFEREES[2:] if what in e.compared}
            if not (e.proof or e.mutants or others or e.spec in CATALOGUED):
                continue
            dates = [x.date for x in (e.proof, e.mutants, *e.compared.values()) if x]
            table.append(
                [
                    f"`{e.spec}`",
                    results(e.compared.get(kinds.HARDWARE)),
                    results(e.compared.get(kinds.EXACT)),
                    ", ".join(f"{referee(what)} {results(x)}" for what, x in others.items()),
                    verdict(e.proof),
                    faults([e.mutants] if e.mutants else []),
                    max(dates),
                ]
            )
    return table


def results(found: Compared | None) -> str:
    """How many results were compared; all that there are, or some."""
    if found is None:
        return ""
    differ = f" ({grouped(found.differing)} differ)" if found.differing else ""
    return f"{'all ' * found.every}{grouped(found.results)}{differ}"


def referee(what: str) -> str:
    """The other side of a comparison."""
    return what.rpartition(" with ")[2].removeprefix("Berkeley ")


def verdict(found: Proved | None) -> str:
    """A verdict, and its time."""
    return f"{found.verdict}, {found.seconds:.1f} s" if found else ""


def unproven(records: Records) -> list[list[str]]:
    """A row for each proof that did not end with a verdict for all inputs, or that refuted."""
    return [
        [f"`{e.spec}`", e.proof.verdict, f"{e.proof.seconds:.0f}", str(e.proof.cases), e.proof.date]
        for e in records
        if e.proof and e.proof.verdict != "proven"
    ]


def differing(records: Records) -> list[list[str]]:
    """A row for each comparison in which results differ, and each unit with faults left."""
    compared = [
        [f"`{e.spec}`", what, f"{grouped(x.differing)} of {grouped(x.results)} differ", x.date]
        for e in records
        for what, x in e.compared.items()
        if x.differing
    ]
    left = [
        [f"`{e.spec}`", "faults", f"{e.mutants.left} of {e.mutants.faults} left", e.mutants.date]
        for e in records
        if e.mutants and e.mutants.left
    ]
    return compared + left


def without_proof(records: Records) -> str:
    """The families of which no unit is proven."""
    proven = {
        family
        for family, found in by_family(records).items()
        if any(e.proof and e.proof.verdict == "proven" for e in found)
    }
    return ", ".join(f"`{family}`" for family in FAMILIES if family not in proven)


def without_hardware(records: Records) -> str:
    """The units of the catalogue of which no comparison of the hardware is kept."""
    missing = [x for x in CATALOGUED if kinds.HARDWARE not in records.of(x).compared]
    return ", ".join(f"`{spec}`" for spec in missing) or "none"


def days(records: Records) -> list[list[str]]:
    """A row for each day that records are of: the versions of the tools."""
    return [[day, *versions.values()] for day, versions in sorted(records.versions.items())]


def grouped(x: int) -> str:
    """A whole number with its thousands set apart; nothing for none."""
    return f"{x:,}".replace(",", " ") if x else ""


FROM = ("tests", "testfloat", "ibm", "proofs", "mutants", "changed")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=FROM)
    parser.add_argument("file", nargs="?", type=Path, help="that of tests or ibm")
    parser.add_argument("--again", action="store_true", help="what is kept too")
    given = parser.parse_args()
    if (given.file is None) == (given.what in ("tests", "ibm")):
        parser.error(f"{given.what} takes {'a' if given.file is None else 'no'} file")
    records = kinds.read_records()
    fill: dict[str, Callable[[], None]] = {
        "tests": lambda: of_tests(records, given.file),
        "testfloat": lambda: of_testfloat(records, given.again),
        "ibm": lambda: of_ibm(records, given.file),
        "proofs": lambda: of_proofs(records, given.again),
        "mutants": lambda: of_mutants(records, given.again),
        "changed": lambda: drop_changed(records),
    }
    fill[given.what]()
    records.write()


if __name__ == "__main__":
    main()
