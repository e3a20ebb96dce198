"""Integers in machine words: how wide a word a definition needs, and arrays of wide ones.

A word has 64 bits, or a power of two times as many, up to 1024. Arrays of codes of more than 64
bits hold Python integers; or words, the lowest 64 bits first, as elements of numpy's type for bytes
without meaning (``V16``, ``V32``, ...).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..lazily import np

WIDTHS = 64, 128, 256, 512, 1024
"""Bits of a machine word."""

SPARE = 3
"""Bits that a word has and a magnitude that a definition forms must leave: a sign, and two."""

WORD_BITS = WIDTHS[0] - SPARE
"""Widest magnitude in a word of 64 bits."""

SMALL = 64
"""Up to this many elements the interpreter answers sooner than the compiler."""


def machine_word(
    word_bits: int, result: np.dtype, operands: Iterable[np.dtype], elements: int
) -> int:
    """Bits of the words in which a definition is compiled that forms magnitudes of `word_bits`, on
    so many elements of these types.

    It is 0 where plain Python evaluates it: because no machine word holds them, because results
    are Python integers, or because it answers sooner.
    """
    if elements <= SMALL or result.hasobject:
        return 0
    holding = [128 if x.hasobject else 8 * x.itemsize for x in (result, *operands)]
    least = max(word_bits + SPARE, *holding)
    return next((width for width in WIDTHS if width >= least), 0)


def code_dtype(bits: int) -> np.dtype:
    """The smallest unsigned type that holds codes of so many bits, or of words that do; that of
    Python integers, if none."""
    for width in (8, 16, 32, 64):
        if bits <= width:
            return np.dtype(f"uint{width}")
    return next((np.dtype(f"V{w // 8}") for w in WIDTHS if bits <= w), np.dtype(object))


def signed_words(x: np.ndarray) -> np.ndarray:
    """Unsigned 64-bit words as signed ones; other arrays as they are."""
    return x.view(np.int64) if x.dtype == np.uint64 else x


def in_words(x: np.ndarray, bits: int) -> np.ndarray:
    """An array of codes in contiguous form as compiled loops take it that compute in words of so
    many bits."""
    if x.dtype.hasobject:
        return from_integers(x.ravel().tolist(), np.dtype(f"V{bits // 8}")).reshape(x.shape)
    x = np.ascontiguousarray(x)
    return signed_words(x) if bits == WIDTHS[0] else x


def from_integers(values: list[int], dtype: np.dtype) -> np.ndarray:
    """Codes as an array of this type, of words perhaps."""
    if dtype.kind != "V":
        return np.array(values, dtype)
    size = dtype.itemsize
    return np.frombuffer(b"".join([x.to_bytes(size, "little") for x in values]), dtype)


def to_integers(codes: np.ndarray) -> np.ndarray:
    """An array of words as one of Python integers; others as they are."""
    if codes.dtype.kind != "V":
        return codes
    low, *higher = np.moveaxis(_lanes(codes), -1, 0).astype(object)
    total = sum((x << 64 * (i + 1) for i, x in enumerate(higher)), low)
    return np.array(total, object)  # of no dimensions, it is one integer so far


def field(codes: np.ndarray, place: int, bits: int) -> np.ndarray:
    """So many bits of each code in words, from this place on."""
    if bits > 64:
        return to_integers(codes) >> place & (1 << bits) - 1
    first, shift = divmod(place, 64)
    lanes = _lanes(codes)
    found = lanes[..., first] >> np.uint64(shift)
    if shift + bits > 64:
        found |= lanes[..., first + 1] << np.uint64(64 - shift)
    return found & np.uint64((1 << bits) - 1)


def _lanes(codes: np.ndarray) -> np.ndarray:
    """The 64-bit words of each code, on another axis behind."""
    lanes = codes.dtype.itemsize // 8
    return np.ascontiguousarray(codes).view(np.uint64).reshape(*codes.shape, lanes)
