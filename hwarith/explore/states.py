"""Recurrent states on units: linear attention step by step and in chunks, by the state's format.

A head keeps a matrix S and updates it with every token:

- ``gated`` linear attention: S' = g S + k v^T;
- ``delta``, the gated delta rule: S' = g S + k d^T with d = b (v - g S^T k), which writes v where k
  points to instead of adding to what is there.

Training and prefill take chunks of C tokens, as products of matrices, and give the same S in exact
arithmetic; decoding goes step by step. Rounding differs: a state in few bits is rounded once a
token in the one order and once a chunk in the other.

Source: Yang et al., Gated Linear Attention (arXiv 2312.06635), Gated Delta Networks (arXiv
2412.06464), whose chunks solve a triangular system (the WY form); the experiment, and what is
rounded where, are this project's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..exceptions import InvalidInput, quoted, unknown
from ..formats import BlockFormat, Format, format
from ..matrix.product import matmul
from ..progress import progress
from ..tables import Several, Table
from ..units import Unit, unit
from ..units.dot import Dot
from ..units.exact.fma import Fma
from .drawn import RANDOM_BITS

RULES = ("gated", "delta")

HEADS, KEYS, VALUES = 4, 64, 64
"""States are of so many heads, matrices (KEYS, VALUES)."""

GATES = (3.0, 8.0)
"""Gates are 1 - 2^-u, u uniform between these."""

MOST_STEPS = 1 << 14

_FP32 = format("fp32")


@dataclass(frozen=True)
class Updated:
    """What became of states by one unit, in both orders.

    Attributes
    ----------
    rule, chunk, steps : one of `RULES`, tokens of a chunk, and of all.
    update : the spec of the unit that updates states.
    state : its format.
    serial, chunked : the deviation of states from exact ones, root mean square over that of the
        exact ones, after each chunk; None where a state is not finite.
    apart : that of both orders' states from each other, over the same.
    equal : the share of the states' elements whose codes are equal.
    """

    rule: str
    update: str
    state: str
    chunk: int
    steps: int
    serial: float | None
    chunked: float | None
    apart: float | None
    equal: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def row(self) -> dict[str, Any]:
        """By the titles of a table."""
        return {
            "state": self.state,
            "serial error": self.serial,
            "chunked error": self.chunked,
            "apart": self.apart,
            "equal": self.equal,
            "update": self.update,
        }


class States(Several[Updated]):
    """States by several units."""

    def tables(self) -> list[Table]:
        """A row for each unit."""
        one = self[0]
        title = f"{one.rule}: {one.steps} tokens, in chunks of {one.chunk}"
        return [Table([x.row() for x in self], title)]


def state_updates(
    updates: Iterable[Any] | str = ("fp32", "fp16", "bf16"),
    rule: str = "gated",
    chunk: int = 64,
    steps: int = 512,
    factors: Any = "bf16",
    seed: int = 0,
) -> States:
    """Update states of four heads, 64 by 64, step by step and in chunks, and compare them.

    Keys are of length 1, values normal numbers, gates 1 - 2^-u with u from 3 to 8, and b of the
    delta rule uniform; all are rounded to `factors`. Sums of products are in fp32.

    Parameters
    ----------
    updates : formats of states, or units that make a new one of g, S and the product (a
        multiply-add ``fma:a=bf16,b=fp16,c=fp16,out=fp16``, also one that rounds at random), or of
        both pairs at once (a dot product ``dot:a=bf16,b=fp16,n=2,c=none,out=fp16``). A format
        stands for the multiply-add, whose addend is the product rounded to that format. After a
        chunk a multiply-add adds what the chunk brought, in fp32, in the same way.
    rule : ``gated`` or ``delta``.
    chunk, steps : tokens of a chunk, and of all: 1 to 16384, chunks filled.
    factors : the format of keys, values and gates: a signed float.

    Raises `InvalidInput` for what is not as said here.
    """
    if rule not in RULES:
        raise unknown("rule of updates", rule, RULES)
    _check("chunk", chunk, MOST_STEPS)
    _check("steps", steps, MOST_STEPS)
    if steps % chunk:
        raise InvalidInput(f"steps must be a multiple of chunk={chunk}, not {steps}")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise InvalidInput(f"seed must be an integer of at least 0, not {quoted(seed)}")
    f = _float(factors, "factors")
    named = [updates] if isinstance(updates, str | Unit | Format) else list(updates)
    paths = [_Path(f, _update(x, f), rule, seed) for x in named]
    if not paths:
        raise InvalidInput("name at least one format of states, such as fp32")
    tokens = _tokens(f, steps, seed)
    exact = _exact(f, tokens, rule, chunk)
    return States(tuple(_compared(p, tokens, exact, chunk) for p in progress(paths, "states")))


class Tokens(NamedTuple):
    """Codes of the factors' format: keys and values (heads, steps, ...), gates and b (heads,
    steps)."""

    keys: np.ndarray
    values: np.ndarray
    gates: np.ndarray
    rates: np.ndarray

    def part(self, part: slice | int) -> Tokens:
        return Tokens(*(x[:, part] for x in self))


def _tokens(f: Format, steps: int, seed: int) -> Tokens:
    rng = np.random.default_rng(seed)
    k, v = rng.standard_normal((HEADS, steps, KEYS)), rng.standard_normal((HEADS, steps, VALUES))
    g = 1 - 2.0 ** -rng.uniform(*GATES, (HEADS, steps))
    b = rng.uniform(size=(HEADS, steps))
    k /= np.linalg.norm(k, axis=-1, keepdims=True)
    return Tokens(*(f.encode(x) for x in (k, v, g, b)))


class _Path:
    """The units that states of one format go through, in both orders."""

    def __init__(self, f: Format, update: Fma | Dot, rule: str, seed: int):
        state = update.out
        self.factors, self.state, self.update, self.rule = f, state, update, rule
        self._random = np.random.default_rng(seed)
        is_fma = isinstance(update, Fma)
        usual = Fma(a=_FP32, b=state, c=_FP32, out=state)
        self._merge = replace(update, a=_FP32, c=_FP32) if is_fma else usual
        self._product = unit(f"mul:a={f},out={state}") if is_fma else None
        self._as_state = unit(f"convert:a={f},out={state}")

        def mul(a: Format, b: Format, out: Format = _FP32) -> Unit:
            return unit(f"mul:a={a},b={b},out={out}")

        self._decay, self._times, self._scaled = mul(_FP32, f), mul(_FP32, _FP32), mul(_FP32, f, f)
        self._rated, self._rounded = mul(f, _FP32), unit(f"convert:a=fp32,out={f}")
        self._rest = unit("fma:a=fp32,op=nmsub")
        self._sums = unit(f"fma:a={f},c=fp32,out=fp32")
        self._reads = unit(f"fma:a={f},b={state},c=fp32,out=fp32")

    # -- token by token ------------------------------------------------------------------------

    def token(self, states: np.ndarray, t: Tokens) -> np.ndarray:
        """States (heads, keys, values) after one token."""
        written = t.values
        if self.rule == "delta":
            read = _products(self._reads, t.keys[:, None], states)[:, 0]
            gates = self._wide(t.gates)[:, None]
            rest = self._rest(gates, read, self._wide(t.values))
            written = self._rounded(self._rated(t.rates[:, None], rest))
        gates, keys, written = t.gates[:, None, None], t.keys[..., None], written[:, None]
        if self._product:
            return self._new(self.update, gates, states, self._product(keys, written))
        pairs = [(gates, keys), (states, self._as_state(written))]
        lanes = [np.stack(np.broadcast_arrays(*x, states)[:2], -1) for x in pairs]
        return np.asarray(self.update(*lanes))

    # -- chunk by chunk ------------------------------------------------------------------------

    def chunk(self, states: np.ndarray, t: Tokens) -> np.ndarray:
        """States after the tokens of a chunk, by products of matrices."""
        decays, since = self._decays(t.gates)
        written = t.values
        if self.rule == "delta":
            written = self._rounded(self._written(states, t, decays, since))
        keys = self._scaled(decays[:, -1, :, None], t.keys)
        brought = _products(self._sums, keys.swapaxes(1, 2), written)
        return self._new(self._merge, since[:, -1, None, None], states, brought)

    def _decays(self, gates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Products of gates in fp32: those behind token i up to token j, [heads, j, i], one at
        i = j; and those from the chunk's beginning up to j."""
        heads, n = gates.shape
        one, zero = _FP32.encode(1.0), _FP32.encode(0.0)
        rows = [np.full((heads, n), zero)]
        since = [np.full(heads, one)]
        for j in range(n):
            row = np.asarray(self._decay(rows[-1], gates[:, j : j + 1]))
            row[:, j] = one
            rows.append(row)
            since.append(np.asarray(self._decay(since[-1], gates[:, j])))
        return np.stack(rows[1:], 1), np.stack(since[1:], 1)

    def _written(
        self, states: np.ndarray, t: Tokens, decays: np.ndarray, since: np.ndarray
    ) -> np.ndarray:
        """What the delta rule writes for each token, fp32: the solution d of the triangular system
        d[j] + b[j] sum over i < j of decay[j, i] (k[j] k[i]) d[i] = b[j] (v[j] - since[j] S k[j]),
        by substitution."""
        rates = t.rates[..., None]
        alike = _products(self._sums, t.keys, t.keys.swapaxes(1, 2))
        system = self._rated(rates, self._times(decays, alike))
        read = _products(self._reads, t.keys, states)
        rest = self._rest(since[..., None], read, self._wide(t.values))
        d = np.array(self._rated(rates, rest))
        for i in range(d.shape[1] - 1):
            d[:, i + 1 :] = self._rest(system[:, i + 1 :, i, None], d[:, i, None], d[:, i + 1 :])
        return d

    def _wide(self, codes: np.ndarray) -> np.ndarray:
        return _FP32.encode(self.factors.decode(codes))

    def _new(self, u: Unit, *codes: np.ndarray) -> np.ndarray:
        """New states by a multiply-add, with random bits if it takes some."""
        if RANDOM_BITS in u.operands:
            bits = u.operands[RANDOM_BITS].bits
            codes = (*codes, self._random.integers(0, 1 << bits, codes[1].shape, np.uint64))
        return np.asarray(u(*codes))


def _products(u: Unit, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Products of matrices, one for each head."""
    return np.stack([matmul(u, a, b) for a, b in zip(left, right, strict=True)])


# -- both orders, and the exact states -----------------------------------------------------------


def _exact(f: Format, tokens: Tokens, rule: str, chunk: int) -> np.ndarray:
    """States in float64 after each chunk: (chunks, heads, keys, values)."""
    k, v, g, b = (f.decode(x) for x in tokens)
    states, found = np.zeros((HEADS, KEYS, VALUES)), []
    for j in range(k.shape[1]):
        states = states * g[:, j, None, None]
        written = v[:, j]
        if rule == "delta":
            written = b[:, j, None] * (written - np.einsum("hkv,hk->hv", states, k[:, j]))
        states = states + k[:, j, :, None] * written[:, None]
        if (j + 1) % chunk == 0:
            found.append(states)
    return np.stack(found)


def _compared(path: _Path, tokens: Tokens, exact: np.ndarray, chunk: int) -> Updated:
    f, steps = path.state, tokens.gates.shape[1]
    serial = chunked = np.full((HEADS, KEYS, VALUES), f.encode(0.0))
    codes: list[list[np.ndarray]] = [[], []]
    for first in range(0, steps, chunk):
        part = slice(first, first + chunk)
        chunked = path.chunk(chunked, tokens.part(part))
        for j in range(first, first + chunk):
            serial = path.token(serial, tokens.part(j))
        codes[0].append(serial)
        codes[1].append(chunked)
    one, other = (np.stack(x) for x in codes)
    values = f.decode(one), f.decode(other)
    size = float(np.sqrt(np.mean(exact**2)))
    return Updated(
        rule=path.rule,
        update=path.update.spec,
        state=f.name,
        chunk=chunk,
        steps=steps,
        serial=_deviation(values[0], exact, size),
        chunked=_deviation(values[1], exact, size),
        apart=_deviation(*values, size),
        equal=float(np.mean(one == other)),
    )


def _deviation(x: np.ndarray, y: np.ndarray, size: float) -> float | None:
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    return float(np.sqrt(np.mean((x - y) ** 2))) / size


# -- what is given -------------------------------------------------------------------------------


def _update(given: Any, f: Format) -> Fma | Dot:
    """The unit that updates states: of a format the multiply-add."""
    if isinstance(given, Format) or (isinstance(given, str) and ":" not in given):
        state = _float(given, "states")
        return Fma(a=f, b=state, c=state, out=state)
    u = unit(given)
    if isinstance(u, Fma):
        formats = [u.a, u.b, u.c]
    elif isinstance(u, Dot) and u.n == 2 and u.addend is None and u.scale is None:
        formats = [u.a, u.b, u.out]
    else:
        formats = []
    ports = {*u.operands} - {"a", "b", "c", RANDOM_BITS}
    if formats != [f, u.results["y"], u.results["y"]] or ports or len(u.results) > 1:
        raise InvalidInput(
            f"{u.spec}: to update states a multiply-add must take a={f} and b, c and out of one "
            "format, or a dot product n=2,c=none"
        )
    _float(u.results["y"], "states")
    return u


def _float(given: Any, what: str) -> Format:
    f = format(given)
    if isinstance(f, BlockFormat) or f.kind != "float" or not f.signed or f.hidden_always:
        raise InvalidInput(f"{what} must be of a signed float, not {f.name}")
    return f


def _check(what: str, number: Any, most: int) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
        raise InvalidInput(f"{what} must be an integer from 1 to {most}, not {quoted(number)}")
