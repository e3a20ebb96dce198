"""States of linear attention: each order number by number, orders that must agree, mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.explore import states

FP32 = hw.format("fp32")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "HEADS", 2)
    monkeypatch.setattr(states, "KEYS", 4)
    monkeypatch.setattr(states, "VALUES", 3)


def fl(x: Fraction, f: hw.Format) -> Fraction:
    return Fraction(f.decode_one(f.encode_one(x, overflow="nosat")))


class Numbers:
    """One head in rational numbers, each operation rounded as the orders are said to."""

    def __init__(self, f: hw.Format, state: hw.Format, rule: str, tokens: states.Tokens):
        self.f, self.state, self.rule = f, state, rule
        self.k, self.v, self.g, self.b = (
            np.vectorize(Fraction, otypes=[object])(f.decode(x[0])) for x in tokens
        )
        self.s = np.full((self.k.shape[1], self.v.shape[1]), Fraction(0), object)

    def sum32(self, pairs: Iterator[tuple[Fraction, Fraction]]) -> Fraction:
        total = Fraction(0)
        for x, y in pairs:
            total = fl(x * y + total, FP32)
        return total

    def each(self, function: Any) -> np.ndarray:
        return np.array(
            [[function(i, j) for j in range(self.s.shape[1])] for i in range(len(self.s))], object
        )

    def token(self, t: int) -> None:
        k, v, g, b, s = self.k[t], self.v[t], self.g[t], self.b[t], self.s
        d = v
        if self.rule == "delta":
            read = [self.sum32(zip(k, column, strict=True)) for column in s.T]
            rest = [fl(x - g * m, FP32) for x, m in zip(v, read, strict=True)]
            d = [fl(fl(b * x, FP32), self.f) for x in rest]
        self.s = self.each(lambda i, j: fl(g * s[i, j] + fl(k[i] * d[j], self.state), self.state))

    def chunk(self, n: int) -> None:
        k, v, g, b, s = self.k[:n], self.v[:n], self.g[:n], self.b[:n], self.s
        behind = [[Fraction(1)] * n for _ in range(n)]  # [j][i]
        since = []
        for j in range(n):
            since.append(fl((since[-1] if since else 1) * g[j], FP32))
            for i in range(j):
                behind[j][i] = fl(behind[j - 1][i] * g[j], FP32)
        d = [list(row) for row in v]
        if self.rule == "delta":
            for j in range(n):
                for c in range(v.shape[1]):
                    read = self.sum32(zip(k[j], s[:, c], strict=True))
                    d[j][c] = fl(b[j] * fl(v[j][c] - since[j] * read, FP32), FP32)
                    for i in range(j):
                        alike = self.sum32(zip(k[j], k[i], strict=True))
                        a = fl(b[j] * fl(behind[j][i] * alike, FP32), FP32)
                        d[j][c] = fl(d[j][c] - a * d[i][c], FP32)
            d = [[fl(x, self.f) for x in row] for row in d]
        last = behind[n - 1]

        def new(i: int, c: int) -> Fraction:
            keys = (fl(last[j] * k[j][i], self.f) for j in range(n))
            brought = self.sum32(zip(keys, (row[c] for row in d), strict=True))
            return fl(since[-1] * s[i, c] + brought, self.state)

        self.s = self.each(new)


@pytest.mark.parametrize("rule", states.RULES)
@pytest.mark.parametrize("state", ["fp32", "bf16"])
def test_bit_for_bit(rule: str, state: str, small: None) -> None:
    f, s = hw.format("bf16"), hw.format(state)
    tokens = states._tokens(f, 6, seed=3)
    path = states._Path(f, states._update(state, f), rule, 0)
    begin = np.full((2, 4, 3), s.encode(0.5))
    codes, numbers = begin, Numbers(f, s, rule, tokens)
    numbers.s[:] = Fraction(1, 2)
    for t in range(6):
        codes = path.token(codes, tokens.part(t))
        numbers.token(t)
        assert s.decode(codes[0]).tolist() == numbers.s.astype(float).tolist()
    numbers.s[:] = Fraction(1, 2)
    numbers.chunk(6)
    codes = path.chunk(begin, tokens)
    assert s.decode(codes[0]).tolist() == numbers.s.astype(float).tolist()


@pytest.mark.parametrize("rule", states.RULES)
def test_both_orders_are_one_in_exact_arithmetic(rule: str, small: None) -> None:
    """With factors in fp32 nothing is left but rounding to fp32, once a chunk or once a token."""
    for chunk in (1, 8, 32):
        (found,) = states.state_updates(["fp32"], rule, chunk, 32, factors="fp32")
        assert 0 < found.serial < 1e-6
        assert 0 < found.chunked < 1e-6
        assert found.apart < 1e-6


def test_chunks_of_one_token(small: None) -> None:
    """A product rounded to fp32, and then added to a state in fp32: the same in both orders."""
    (found,) = states.state_updates("fp32", chunk=1, steps=16)
    assert (found.apart, found.equal) == (0, 1)
    (found,) = states.state_updates("bf16", chunk=1, steps=16)
    assert found.apart > 0  # the product is not rounded to bf16 alone


def test_states_in_few_bits_are_rounded_once_a_token(small: None) -> None:
    """What the module says: by chunks a state in bf16 keeps more, one in fp32 less."""
    fp32, bf16 = states.state_updates(["fp32", "bf16"], steps=256, chunk=64)
    assert fp32.serial < 1e-6 < 1e-4 < fp32.chunked
    assert bf16.chunked < bf16.serial / 2
    assert bf16.apart > fp32.apart


def test_units(small: None) -> None:
    """A sum of two products in one rounding, random rounding, and formats as units."""
    specs = [
        "bf16",
        "fma:a=bf16,b=bf16,c=bf16,out=bf16",
        "dot:a=bf16,b=bf16,n=2,c=none,out=bf16",
        "fma:a=bf16,b=bf16,c=bf16,out=bf16,round=srb,n=8",
        hw.unit("fma:a=bf16,b=bf16,c=bf16,out=bf16,round=rtz"),
    ]
    usual, same, fused, drawn, down = states.state_updates(specs, steps=64, chunk=16)
    assert usual == same
    assert fused.serial != usual.serial
    assert fused.chunked == usual.chunked
    assert 3 * max(usual.serial, drawn.serial, fused.serial) < down.serial
    assert states.state_updates([specs[3]], steps=64, chunk=16)[0] == drawn


def test_what_is_not_finite(small: None) -> None:
    (found,) = states.state_updates(["e2m1fn"], steps=16, chunk=8)
    assert found.serial is not None
    (found,) = states.state_updates(["fma:a=bf16,b=e2m2,c=e2m2,out=e2m2"], steps=256, chunk=8)
    assert found.serial is None
    assert found.as_dict()["apart"] is None
    table = states.state_updates(["fp32"], steps=16, chunk=8).tables()[0]
    assert table.title == "gated: 16 tokens, in chunks of 8"
    assert table.rows[0]["state"] == "fp32"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"rule": "mamba"}, "unknown rule of updates 'mamba'; allowed: gated, delta"),
        ({"chunk": 0}, "chunk must be an integer from 1 to 16384, not 0"),
        ({"steps": 100.0}, "steps must be an integer from 1 to 16384, not 100.0"),
        ({"steps": 100}, "steps must be a multiple of chunk=64, not 100"),
        ({"seed": -1}, "seed must be an integer of at least 0, not -1"),
        ({"updates": []}, "name at least one format of states, such as fp32"),
        ({"updates": ["int8"]}, "states must be of a signed float, not int8"),
        ({"updates": ["mxfp4"]}, "states must be of a signed float, not mxfp4"),
        ({"factors": "uint4"}, "factors must be of a signed float, not uint4"),
        ({"updates": ["mul:a=bf16"]}, "to update states a multiply-add must take a=bf16 and b, c"),
        ({"updates": ["fma:a=fp16"]}, "to update states a multiply-add must take a=bf16 and b, c"),
        ({"updates": ["fma:a=bf16,c=fp32"]}, "and b, c and out of one format, or a dot product"),
        ({"updates": ["fma:a=bf16,op=port"]}, "to update states a multiply-add must take a=bf16"),
        ({"updates": ["dot:a=bf16,n=2"]}, "or a dot product n=2,c=none"),
    ],
)
def test_mistakes(call: dict[str, Any], message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=re.escape(message)):
        states.state_updates(**call)
