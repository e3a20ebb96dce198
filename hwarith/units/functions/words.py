"""Leading bits of a function for all codes of a format: made once, and kept on disk."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from ... import sources
from ...caching import kept
from ...formats import Format
from ...lazily import np
from . import definitions

_TABLES = 32


@lru_cache(maxsize=_TABLES)
def correct_words(function: str, a: Format, out: Format, bits: int) -> np.ndarray:
    """`word_of` the exact leading bits, for every code of a float, or fraction in fixed point."""

    def make() -> bytes:
        of = definitions.leading_of if a.is_float else definitions.leading_of_fraction
        codes = range(1 << (a.bits if a.is_float else -a.exponent))
        found = (of(function, code, a, out, bits) for code in codes)
        return np.array([definitions.word_of(x, bits) for x in found], "<i8").tobytes()

    here = Path(__file__).parent
    text = sources.digest({name: here / name for name in ("exactly.py", "definitions.py")})
    text += f"{function} {a.numbers} {out.numbers} {bits}"
    content = kept("functions", f"{hashlib.sha256(text.encode()).hexdigest()}.words", make)
    return np.frombuffer(content, "<i8")
