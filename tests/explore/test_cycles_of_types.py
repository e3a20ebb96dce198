"""Arrays for types of few bits: as large as the published one, with the type's bits in memory."""

from __future__ import annotations

from fractions import Fraction

import pytest

import hwarith as hw
from hwarith.explore.cycles.accelerator import Accelerator, Operation, cost
from hwarith.explore.cycles.files import find_config
from hwarith.explore.cycles.typed import REFERENCE, config_of
from hwarith.explore.datatypes import DATATYPES, element_of
from tests.explore.fake_flow import FakeFlow

ROWS = {row.name: row for row in DATATYPES if element_of(row)}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_as_large_as_the_published_array(row) -> None:
    element = element_of(row)
    config = config_of(row, lambda spec: 4700.0 if spec == REFERENCE else 1900.0)
    for found, reference in ((config.prompt, 32), (config.generation, 64)):
        assert found.columns * reference == 768
        used, area = found.rows * 1900, reference * 4700
        assert area - 1900 < used <= area
        assert Fraction(found.dp, found.latency) == element.per_clock
        assert float(found.input_bits if "anda" in row.name else found.bits) == row.bits


def test_bits_of_both_operands() -> None:
    def bits(name: str) -> tuple[float, float]:
        found = find_config(f"type={name}", FakeFlow()).prompt
        return float(found.bits), float(found.input_bits)

    assert bits("int4") == (4.125, 16)
    assert bits("mxfp4 ceil") == bits("mxfp4") == (4.25, 4.25)
    assert bits("anda_m6") == (4.125, 7.078125)


def test_inputs_move_in_their_bits() -> None:
    layer = Operation("q", (64, 128), (32, 128), (32, 64))
    narrow, wide = (cost(layer, Accelerator(8, 8, 4, input_bits=b)) for b in (4, 16))
    assert wide.dram_bytes - narrow.dram_bytes == 32 * 128 * 12 // 8
    attention = Operation("qk", (64, 128), (32, 128), (32, 64), weight_bits=16)
    assert cost(attention, Accelerator(8, 8, 4, input_bits=4)) == cost(
        attention, Accelerator(8, 8, 4)
    )
    assert cost(layer, Accelerator(8, 8, 4, clocks=3)).compute_cycles == 3 * narrow.compute_cycles


def test_as_a_user_gives_it() -> None:
    fp16, own = hw.cycles("opt-1.3b", ["fp16", "type=mxfp4"], flow=FakeFlow())
    assert own.rows[-1]["speedup"] == fp16.rows[-1]["cycles"] / own.rows[-1]["cycles"]
    with pytest.raises(hw.InvalidInput, match="config 'type=mxfp5': unknown weight type 'mxfp5'"):
        find_config("type=mxfp5")
    with pytest.raises(hw.InvalidInput, match="config 'type=nupes4': no unit takes nupes4"):
        find_config("type=nupes4")
