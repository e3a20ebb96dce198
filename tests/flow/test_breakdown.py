"""Costs by submodule: every unit has parts, they add up, and the netlist they make is the unit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from amaranth.back import rtlil

import hwarith as hw
from hwarith import rtl
from hwarith.flow import tools
from hwarith.flow.stimuli.families import stimulus
from hwarith.flow.synthesis import breakdown as module
from hwarith.flow.synthesis import scripts
from hwarith.flow.synthesis.breakdown import REGISTERS, REST, Breakdown, Part, breakdown
from hwarith.units import FAMILIES
from hwarith.units.catalogue import CATALOGUE
from tests.flow import tabled
from tests.small_units import ANFMA, ENGINE, METADATA, OF_EACH_FAMILY, SPECS
from tests.tiers import few

FMA_STEPS = ["unpack", "compare", "align", "multiply_add", "normalize", "round", "pack"]

LARGE = r"fp32_pipelined|^(fma|mul|add)_(fp32|.*_fp32)$|^(engine|bstile)"

MODERATE = [spec for name, spec in CATALOGUE.items() if not re.search(LARGE, name)]
"""Units of the catalogue that are mapped in a minute."""


def names(parts: tuple[Part, ...]) -> list[str]:
    return [part.name for part in parts]


def inside(found: Breakdown, *path: str) -> tuple[Part, ...]:
    parts = found.parts
    for name in path:
        (part,) = (part for part in parts if part.name == name)
        parts = part.parts
    return parts


def check_sums(found: Breakdown) -> None:
    """Each level adds up to what it is in."""
    for whole in (found, *(part for _, part in found.rows() if part.parts)):
        assert sum(part.area for part in whole.parts) == pytest.approx(whole.area, abs=1e-4)
        assert sum(part.cells for part in whole.parts) == whole.cells
        assert sum(part.flip_flops for part in whole.parts) == whole.flip_flops
    assert sum(part.share for part in found.parts) == pytest.approx(1)
    for _, part in found.rows():
        assert part.share == pytest.approx(part.area / found.area)


def test_table_of_parts_by_titles():
    found = breakdown("mul:a=e4m3fn")
    *rows, whole = found.table()
    assert [row["part"].strip() for row in rows] == [
        part.name.replace("_", " ") for _, part in found.rows()
    ]
    assert [len(row["part"]) - len(row["part"].lstrip()) for row in rows] == [
        2 * depth for depth, _ in found.rows()
    ]
    assert (whole["part"], whole["area (GE)"], whole["share (%)"]) == ("all", found.area, 100.0)
    assert whole["flip-flops"] is None


@pytest.mark.parametrize(
    "spec",
    few(
        [*SPECS, *(pytest.param(spec, marks=pytest.mark.long) for spec in (*METADATA, *MODERATE))],
        4,
    ),
)
def test_every_unit_has_parts_that_add_up(spec: str) -> None:
    found = breakdown(spec)
    check_sums(found)
    assert not {*names(found.parts)} <= {REGISTERS, REST}
    assert all(re.fullmatch(r"[a-z][a-z_]*[a-z]", part.name) for _, part in found.rows())
    assert all(part.area > 0 and part.instances >= 1 for _, part in found.rows())
    u = hw.unit(spec)
    of_registers = sum(part.area for part in found.parts if part.name == REGISTERS)
    assert (of_registers > 0) == (u.stages > 0)
    assert found.delay is not None
    on_path = sum(part.delay or 0 for part in found.parts)
    assert 0 < on_path <= found.delay + 1e-6
    if u.stages == 0:
        assert on_path == pytest.approx(found.delay)


def test_the_small_units_are_of_every_family() -> None:
    assert OF_EACH_FAMILY.keys() == FAMILIES.keys() - {"bstile", "dotmulti"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("mul:a=e4m3fn", ["unpack", "product", "normalize", "round", "pack"]),
        ("add:a=e4m3fn", ["unpack", "order", "align", "add", "normalize", "round", "pack"]),
        ("fma:a=e4m3fn", FMA_STEPS),
        ("fma:a=e4m3,round=port,flags=after", FMA_STEPS),
        ("lmul:format=e4m3fn", ["unpack", "add", "pack"]),
        (ANFMA, ["unpack", "multiply", "align", "add", "normalize"]),
        ("mac:a=e2m1fn,acc=e4m3", [*FMA_STEPS, "rest", "registers"]),
        ("convert:a=fp32,out=e4m3fn", ["unpack", "align", "round", "pack"]),
        ("bsdequant", ["round_state", "multiply_by_scale", "rest", "registers"]),
    ],
)
def test_parts_are_called_after_the_steps(spec: str, expected: list[str]) -> None:
    found = names(breakdown(spec).parts)
    assert sorted(found) == sorted(expected)
    assert [name for name in found if name not in (REGISTERS, REST)] == [
        name for name in expected if name not in (REGISTERS, REST)
    ]


def test_steps_have_the_pieces_of_the_field_in_them() -> None:
    found = breakdown("fma:a=e4m3fn")
    assert names(inside(found, "align")) == ["shifter"]
    assert names(inside(found, "multiply_add")) == ["carry_save", "adder", "incrementer", "rest"]
    assert names(inside(found, "normalize")) == ["leading_zeros", "shifter", "rest"]
    of_product = {part.name: part for part in inside(breakdown("mul:a=e4m3fn"), "product")}
    assert of_product["leading_zeros"].instances == 2
    assert of_product["carry_save"].area > 0.5 * of_product["adder"].area


def test_parts_of_an_array_are_counted() -> None:
    found = breakdown(ENGINE)
    parts = {part.name: part for part in found.parts}
    numbers = {name: part.instances for name, part in parts.items()}
    assert numbers == {
        "start_of_column": 3,
        "cell": 6,
        "end_of_column": 3,
        "rest": 1,
        "registers": 1,
    }
    cell = {part.name: part for part in parts["cell"].parts}
    assert {part.instances for part in cell.values()} == {6}
    one = breakdown(ANFMA)
    assert cell["anfma"].area == pytest.approx(6 * one.area, rel=0.02)
    a, b, state = hw.unit(ANFMA).operands.values()
    assert cell[REGISTERS].flip_flops == 6 * (a.bits + b.bits + state.bits + 1)


def test_registers_of_a_pipeline_are_those_of_the_unit_and_its_steps_are_combinational() -> None:
    spec = "mul:a=e4m3fn"
    piped, steps = breakdown(f"{spec},stages=2"), breakdown(spec)
    whole = hw.synthesize(f"{spec},stages=2")
    *others, registers = piped.parts
    assert (registers.name, registers.area) == (REGISTERS, whole.sequential_area)
    assert registers.flip_flops == piped.flip_flops == whole.flip_flops > 0
    assert [(p.name, p.area, p.delay) for p in others] == [
        (p.name, p.area, p.delay) for p in steps.parts
    ]
    assert piped.area == pytest.approx(steps.area + registers.area)
    assert (piped.flat_area, piped.flat_delay) == (whole.area, whole.delay)
    assert piped.difference == pytest.approx(piped.area / whole.area - 1)


@pytest.mark.parametrize(
    "spec", few(["mul:a=e4m3fn", "fma:a=e2m1fn", "mac:a=e2m1fn,acc=e4m3", ENGINE], 2)
)
def test_the_netlist_of_parts_computes_what_the_unit_does(spec: str) -> None:
    u = hw.unit(spec)
    operands = stimulus(u, 2000)
    simulation = hw.simulate(u, verilog=breakdown(spec).netlist)
    assert (simulation(*operands) == u(*operands)).all()


def test_a_fault_in_the_netlist_of_parts_is_seen() -> None:
    u = hw.unit("mul:a=e4m3fn")
    netlist = breakdown(u).netlist
    gate = re.search(r"NAND2 (\S+) \(", netlist)
    assert gate
    faulty = netlist.replace(gate[0], f"NOR2 {gate[1]} (", 1)
    operands = stimulus(u, 1 << 16)
    assert (hw.simulate(u, verilog=faulty)(*operands) != u(*operands)).any()


def test_verilog_for_users_has_no_parts() -> None:
    u = hw.unit("mul:a=e5m2")

    def modules() -> int:
        return rtlil.convert(u.create_ports(), name=u.name).count("\nmodule ")

    with rtl.steps_as_submodules():
        assert modules() > 5
    assert modules() == hw.verilog(u).count("endmodule") == 1


def test_results_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    first = breakdown("mul:a=e2m1fn")
    monkeypatch.setattr(tools, "run_yosys", None)
    again = breakdown("mul:a=e2m1fn")
    assert again == first
    with pytest.raises(TypeError):  # another library is another figure
        breakdown("mul:a=e2m1fn", recipe="area")


def test_area_recipe_and_libraries_with_their_own_units(tmp_path: Path) -> None:
    own = tmp_path / "own.lib"
    own.write_text((tools.shipped("synth") / "generic.lib").read_text())
    found = breakdown("mul:a=e4m3fn", own, "area")
    check_sums(found)
    whole = hw.synthesize("mul:a=e4m3fn", own, "area")
    assert (found.flat_area, found.flat_delay) == (whole.area, whole.delay)
    assert (found.area_unit, found.delay_unit) == ("library area", whole.delay_unit)
    assert found.area < breakdown("mul:a=e4m3fn").area
    assert "netlist" not in found.as_dict()


def test_a_library_with_tables(tmp_path: Path) -> None:
    source = tmp_path / "tabled.lib"
    source.write_text(tabled.library())
    found = breakdown("mul:a=e2m1fn", source)
    check_sums(found)
    on_path = [part.delay or 0 for part in found.parts]
    assert found.delay == pytest.approx(sum(on_path), rel=0.1)
    assert sum(on_path) < (found.delay or 0)  # an input's driver has its share


@pytest.mark.parametrize(
    ("library", "recipe", "message"),
    [
        ("ice40", None, "a breakdown needs a library of cells, not ice40"),
        ("generic", "cmos", "a breakdown needs a library of cells, not cmos"),
        ("generic", "best", "unknown recipe for library 'generic' 'best'"),
        ("generik", None, "unknown library 'generik'"),
    ],
)
def test_what_has_no_areas_is_refused(library: str, recipe: str | None, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=f"^{re.escape(message)}"):
        breakdown("mul:a=e2m1fn", library, recipe)


def test_the_script_is_that_of_the_recipe() -> None:
    for recipe in ("asic", "area"):
        script = module._script(recipe, "top")
        *_, mapping = re.findall(r"^abc -liberty .*$", script, re.MULTILINE)
        assert mapping in scripts.recipe_script(recipe)
        for line in ("read_rtlil", "hierarchy -top top", "setattr -unset init"):
            assert line in script
        for line in ("synth -noabc", "opt_hier", "-scopename"):
            assert line in script
