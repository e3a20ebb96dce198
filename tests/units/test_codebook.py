"""Weights by codebooks: the entries that they name, sums, signs and shifts, and the hardware."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.flow.evidence.records import EXACT, HARDWARE
from hwarith.flow.stimuli.families import stimulus
from tests.digests import digest, words
from tests.evidence import compared
from tests.faults import faulty

SPECS = (
    "codebook:bits=2,dim=2,width=3",
    "codebook:bits=1,dim=1,width=2",
    "codebook:bits=2,dim=3,width=4,sum=2,stages=2",
    "codebook:bits=3,dim=2,width=3,signs=on",
    "codebook:bits=2,dim=4,width=2,sum=2,signs=on,shift=on,stages=3",
)


def test_published_table() -> None:
    """Codes in order read what was written."""
    table = (words()[:2048] >> 24).astype(np.uint8).reshape(256, 8)
    y = hw.unit("codebook")(table, np.arange(256))
    assert digest(np.ascontiguousarray(y)) == "3b4a68b9121112c3"


def expected(u: Any, *operands: np.ndarray) -> np.ndarray:
    """The weights of calls, in numpy's integers."""
    written, code, *others, address = operands
    entries = np.zeros((len(written), u.entries, u.dim), int)
    calls = np.arange(len(written))[:, None]
    for i, place in enumerate(address.T):
        entries[calls[:, 0], place] = u.lanes["word"][0].decode(written[:, i])
    if u.sum == 2:
        y = entries[calls, code[..., 0]] + entries[calls, code[..., 1].astype(int) + (1 << u.bits)]
    else:
        y = entries[calls, code]
    if u.signs == "on":
        bits = others.pop(0)[..., None] >> np.arange(u.dim - 1) & 1
        minus = np.concatenate([bits, bits.sum(axis=-1, keepdims=True) % 2], axis=-1)
        y = np.where(minus, -y, y)
    return y + (u.lanes["word"][0].decode(others[0])[..., None] if u.shift == "on" else 0)


@pytest.mark.parametrize("spec", SPECS)
def test_weights(spec: str) -> None:
    """Also of the most negative words, whose sums, negated, need all bits of a weight."""
    u: Any = hw.unit(spec)
    operands = [x.copy() for x in stimulus(u, 60)]
    operands[0][:20] = 1 << (u.width - 1)
    y = u(*operands)
    np.testing.assert_array_equal(u.weight.decode(y), expected(u, *operands))
    for i in (0, 30):
        assert u.golden(*(x[i] for x in operands)) == y[i].tolist()
    assert u.golden(*(x[i].tolist() for x in operands)) == y[i].tolist()
    compared(EXACT, y.size, u)


@pytest.mark.parametrize("spec", SPECS)
def test_hardware_equals_golden(spec: str) -> None:
    """Tables follow each other without a reset."""
    u = hw.unit(spec)
    operands = stimulus(u, 200)
    y = u(*operands)
    np.testing.assert_array_equal(hw.simulate(u)(*operands), y)
    compared(HARDWARE, y.size, u)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("writes & address_is\\[1\\]", "writes & address_is[0]"),
        ("last_sign = .*?;", "last_sign = sign[0];"),
        (r"code\[1\] \?", "code[0] ?"),
    ],
)
def test_injected_faults_are_found(right: str, wrong: str) -> None:
    u = hw.unit("codebook:bits=2,dim=3,width=3,signs=on")
    operands = stimulus(u, 50)
    found = hw.simulate(u, verilog=faulty(u, right, wrong))(*operands)
    assert (np.asarray(found) != u(*operands)).any()


def test_entries_are_written_in_any_order_between_codes() -> None:
    """The stream component, as an Amaranth user connects it; what is not written is zero."""
    u = hw.unit("codebook:bits=2,dim=1,width=4")
    component = u.create()
    writes, reads = {"load": 1}, {"load": 0}
    transfers = [
        reads | {"code": 2},
        writes | {"address": 2, "word": 5},
        reads | {"code": 2},
        writes | {"address": 2, "word": 6},
        writes | {"address": 0, "word": 7},
        *(reads | {"code": i} for i in (0, 1, 2, 3)),
    ]
    received: list[int] = []

    async def source(ctx):
        for transfer in transfers:
            ctx.set(component.i.payload, dict.fromkeys(u.inputs, 0) | transfer)
            ctx.set(component.i.valid, 1)
            await ctx.tick().until(component.i.ready)
        ctx.set(component.i.valid, 0)

    async def sink(ctx):
        for clock in range(40):
            ctx.set(component.o.ready, clock % 3 == 0)
            _, _, ready, valid, payload = await ctx.tick().sample(
                component.o.ready, component.o.valid, component.o.payload
            )
            received.extend([payload.y] * (ready & valid))

    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source, background=True)
    simulator.add_testbench(sink)
    simulator.run()
    assert received == [0, 5, 7, 0, 6, 0]


def test_transfers_of_calls_and_calls_of_transfers() -> None:
    u = hw.unit("codebook:bits=2,dim=2,width=3,sum=2,signs=on")
    operands = stimulus(u, 3)
    columns = u.transfers.of(list(operands))
    assert {len(x) for x in columns} == {3 * (12 + 8)}
    for i, call in enumerate(u.transfers.calls(columns)):
        for x, y in zip(call, operands, strict=True):
            np.testing.assert_array_equal(x, y[i])


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("codebook:bits=9", "parameter bits: must be 1 to 8, not 9"),
        ("codebook:dim=16,width=16", "make a table of 65,536 bits"),
        ("codebook:dim=1,signs=on", "signs: must be off with dim=1, not on"),
        ("codebook:stages=0", "parameter stages: must be 1"),
    ],
)
def test_wrong_parameters(spec: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        hw.unit(spec)


def test_wrong_operands() -> None:
    u = hw.unit("codebook:bits=2,dim=2,width=3")
    table = np.zeros((4, 2), np.uint8)
    for operands, says in (
        ((table,), "codebook takes word, code and optionally address, not 1 operands"),
        ((table[:3], [0]), r"word of codebook must be of shape \(..., 4, 2\) for 1 codes, not"),
        ((table, 0), r"code of codebook must be of shape \(..., n\) with n at least 1, not \(\)"),
        ((table, []), r"with n at least 1, not \(0,\)"),
        ((table, [4]), "code"),
        ((table, [0], [0, 1, 2, 2]), "address of codebook must have all addresses from 0 to 3"),
        ((table, [0], [0, 1, 2]), r"word of codebook must be of shape \(..., 3, 2\) for 1 codes"),
        ((table + 8, [0]), "word"),
        ((np.zeros((3, 4, 2), np.uint8), np.zeros((2, 5), np.uint8)), "must fit together"),
    ):
        with pytest.raises(InvalidInput, match=says):
            u(*operands)
