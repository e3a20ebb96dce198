"""How a codebook and the codes that read it enter, and how weights leave."""

from __future__ import annotations

import math
from typing import Protocol

from ...exceptions import InvalidInput
from ...formats import Format, format
from ...formats.lanes import join, split
from ...lazily import np
from ..transfers import Ported, Transfers, runs


class Tabulated(Ported, Protocol):
    """What has a table of so many entries, each of so many words."""

    @property
    def entries(self) -> int: ...

    @property
    def lanes(self) -> dict[str, tuple[Format, int]]:
        """Of operands and results whose codes have an axis of lanes, their format and number."""


class TableTransfers(Transfers[Tabulated]):
    """The entries of a table in ascending order, and then what reads it, one call after the
    other."""

    completes = ("load", 0)

    @property
    def controls(self) -> dict[str, Format]:
        address = format(f"uint{max(1, (self.unit.entries - 1).bit_length())}")
        return {"address": address, "load": format("uint1")}

    @property
    def inputs(self) -> dict[str, Format]:
        return self.unit.operands | self.controls

    def of(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        entries = self.unit.entries
        table, *others = [
            join(x, self.unit.lanes[name][0]) if name in self.unit.lanes else x
            for name, x in zip(self.unit.operands, arrays, strict=True)
        ]
        reads = others[0].shape[-1]
        found = []
        for x, before, behind in ((table, 0, reads), *((x, entries, 0) for x in others)):
            rows = x.reshape(-1, x.shape[-1])
            empty = np.zeros((len(rows), before + behind), x.dtype)
            parts = [empty[:, :before], rows, empty[:, before:]]
            found.append(np.concatenate(parts, axis=1).ravel())
        calls = found[0].size // (entries + reads)
        address = np.concatenate([np.arange(entries), np.zeros(reads, int)])
        load = np.repeat(np.array([1, 0], np.uint8), (entries, reads))
        controls = address.astype(self.controls["address"].dtype), load
        return [*found, *(np.tile(x, calls) for x in controls)]

    def calls(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        entries = self.unit.entries
        word, *others, address, load = columns
        found = []
        for call in runs(np.append(load[1:], 1) & ~load & 1, "load=0"):
            reads = slice(call.start + int(load[call].sum()), call.stop)
            written = address[call.start : reads.start]
            if written.tolist() != list(range(entries)):
                raise InvalidInput(
                    f"transfer {call.start + 1} begins {len(written)} entries (load=1); before "
                    f"codes come all {entries}, in ascending order of their addresses"
                )
            arrays = [word[call.start : reads.start], *(x[reads] for x in others)]
            named = zip(self.unit.operands, arrays, strict=True)
            found.append(
                [split(x, *self.unit.lanes[n]) if n in self.unit.lanes else x for n, x in named]
            )
        return found

    def together(self, arrays: list[np.ndarray]) -> list[int]:
        *front, reads = self.result_shape(arrays)
        return [reads] * math.prod(front)

    def per_result(self, arrays: list[np.ndarray]) -> list[int]:
        entries = self.unit.entries
        return [x for n in self.together(arrays) for x in (entries + 1, *([1] * (n - 1)))]

    def result_shape(self, arrays: list[np.ndarray]) -> tuple[int, ...]:
        code = arrays[1]
        return code.shape[:-1] if "code" in self.unit.lanes else code.shape

    def collect(self, columns: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
        f, n = self.unit.lanes["y"]
        return split(columns[0], f, n).reshape(*shape, n)

    def result_codes(self, results: np.ndarray) -> list[np.ndarray]:
        f, _ = self.unit.lanes["y"]
        return [join(results, f).ravel()]
