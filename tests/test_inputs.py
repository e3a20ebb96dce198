"""Files from outside that are damaged, of another kind, or made to do harm: one message each."""

from __future__ import annotations

import gzip
import io
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwarith.exceptions import InvalidInput
from hwarith.explore.cycles.files import read_model
from hwarith.explore.sweeps.sweep_file import read_sweep
from hwarith.flow.synthesis import liberty
from hwarith.flow.synthesis.functions import function_of
from hwarith.inputs import read_arrays, read_json, read_toml

Read = Callable[[Path], object]


def arrays(path: Path) -> object:
    return read_arrays(path, "operands")


def toml(path: Path) -> object:
    return read_toml(path, "sweep file")


def manifest(path: Path) -> object:
    return read_json(path, "the sweep")


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npy_of(header: str, content: bytes = b"", version: int = 1) -> bytes:
    """An ``.npy`` file that says what numpy would not write."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(text)) + text + content


def saying(shape: str, dtype: str = "<f8") -> str:
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}"


def npz(method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return file.getvalue()


GOOD = npz(a_npy=npy(np.arange(500) % 7), b_npy=npy(np.ones((3, 4))))


def changed(content: bytes, at: int, by: bytes) -> bytes:
    return content[:at] + by + content[at + len(by) :]


def encrypted(content: bytes) -> bytes:
    """The same with the flags of a password; there is none."""
    directory = content.index(b"PK\x01\x02")
    return changed(changed(content, 6, b"\1"), directory + 8, b"\1")


def of_size(content: bytes, size: int) -> bytes:
    """The same, where the directory says another size of the first member."""
    return changed(content, content.index(b"PK\x01\x02") + 24, struct.pack("<I", size))


ARRAYS = {
    "nothing": (b"", "is no .npy or .npz file of numbers"),
    "text": (b"1, 2, 3", "is no .npy or .npz file of numbers"),
    "pickle": (b"\x80\x04N.", "is no .npy or .npz file of numbers"),
    "cut": (npy(np.arange(10))[:-5], "an array of shape (10,) would take 80 bytes, and 75 are"),
    "header cut": (npy(np.arange(10))[:20], "ValueError: EOF: reading array header"),
    "terabytes": (npy_of(saying("(10000000000000,)"), b"x" * 99), "80000000000000 bytes, and 99"),
    "digits": (npy_of(saying(f"({'9' * 5000},)")), "is no .npy or .npz file of numbers"),
    "negative": (npy_of(saying("(-1,)"), b"x" * 99), "an array of shape (-1,) of float64 is none"),
    "tokens": (npy_of("{'descr': '<f8"), "is no .npy or .npz file of numbers"),
    "nested": (npy_of("(" * 3000), "is no .npy or .npz file of numbers"),
    "objects": (
        npy_of(saying("(1,)", "|O"), b"x" * 99),
        "an array of shape (1,) of object is none",
    ),
    "no elements": (npy_of(saying("(9000000000,)", "|V0")), "of |V0 is none of numbers"),
    "version": (npy_of("", version=9), "ValueError: version (9, 0)"),
    "zip cut": (GOOD[:-30], "BadZipFile"),
    "zlib": (changed(GOOD, 60, b"\xff" * 30), "is no .npy or .npz file of numbers"),
    "lzma": (npz(zipfile.ZIP_LZMA, a_npy=npy(np.arange(9))), "'a' is not packed as numpy packs"),
    "encrypted": (encrypted(GOOD), "encrypted"),
    "too large": (of_size(GOOD, 2**31), "its members would take 21474"),
    "no array": (npz(a_txt=b"x"), "its member 'a.txt' is no array"),
    "no npy": (npz(a_npy=b"x"), "is no .npy or .npz file of numbers"),
    "npz of terabytes": (npz(a_npy=npy_of(saying("(10000000000000,)"))), "and 0 are there"),
}
TOML = {
    "nested lists": (b"a = " + b"[" * 5000, ""),
    "nested tables": (b"a = " + b"{b = " * 3000, ""),
    "digits": (b"a = " + b"9" * 5000, "an integer in it has more than 4,300 digits"),
    "hexadecimal": (
        b"a = [{b = 0x" + b"f" * 5000 + b"}]",
        "64 bits, and an integer of 20,000",
    ),
    "65 bits": (b"a = 9223372036854775808", "integers have 64 bits, and 9223372036854775808 has"),
    "65 bits, negative": (b"a = -9223372036854775809", "and -9223372036854775809 has more"),
    "not UTF-8": (b"a = '\xff'", "UnicodeDecodeError"),
    "no TOML": (b"a = ", "Invalid value (at end of document)"),
}
JSON = {
    "nested": (b"[" * 100_000, "it nests too deeply"),
    "digits": (b"9" * 5000, "an integer in it has more than 4,300 digits"),
    "cut": (b'{"a": ', "it is no JSON, or damaged (JSONDecodeError"),
    "not UTF-8": (b'"\xff"', "it is no JSON, or damaged (UnicodeDecodeError"),
}
LIBERTY = {
    "nested": (b"library (a) {" * 20_000, "it nests too deeply"),
    "comments": (b"/*" * 300_000, "it ends inside a group or statement"),
    "packed": (gzip.compress(b"library (a) {}")[:-9], "is no text or packed text, or damaged"),
    "not a number": (
        b"library (a) { cell (b) { area : nan; } }",
        "must be a number, not 'nan'",
    ),
    "no end": (b"library (a) { cell (b) { area : 1e999; } }", "must be a number, not '1e999'"),
    "a long word": (b"x" * 9000 + b" (", "it ends inside"),
    "a long number": (b"library (a) { cell (b) { area : " + b"x" * 9000 + b"; } }", "not 'xxx"),
}
DAMAGED = [
    pytest.param(read, content, message, id=f"{read.__name__}: {name}")
    for read, files in (
        (arrays, ARRAYS),
        (toml, TOML),
        (manifest, JSON),
        (liberty.read, LIBERTY),
    )
    for name, (content, message) in files.items()
]


@pytest.mark.parametrize(("read", "content", "message"), DAMAGED)
def test_damaged_files(read: Read, content: bytes, message: str, tmp_path: Path) -> None:
    """At once, in one short line that names the file."""
    path = tmp_path / "given"
    path.write_bytes(content)
    start = time.process_time()
    with pytest.raises(InvalidInput) as caught:
        read(path)
    said = str(caught.value)
    assert message in said
    assert "given" in said
    assert len(said) < 700
    assert said.isprintable()
    assert time.process_time() - start < 2


@pytest.mark.parametrize("read", [arrays, toml, manifest, liberty.read, read_sweep, read_model])
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "cannot be read: Is a directory"),
        ("missing", "cannot be read: No such file or directory"),
        ("x" * 300, "cannot be read: File name too long"),
        ("file/below", "cannot be read: Not a directory"),
        ("a\0b", "embedded null"),
    ],
    ids=["folder", "missing", "long", "below a file", "null"],
)
def test_files_that_cannot_be_read(read: Read, path: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=reason):
        read(tmp_path / path)


def test_integers_of_64_bits(tmp_path: Path) -> None:
    """The lowest and the highest that TOML has; of the next ones `TOML` has the messages."""
    path = tmp_path / "given"
    path.write_text("a = [-9223372036854775808, 9223372036854775807, true]")
    assert read_toml(path, "sweep file")[0] == {"a": [-(2**63), 2**63 - 1, True]}


def test_a_file_without_end() -> None:
    with pytest.raises(InvalidInput, match="sweep file /dev/zero: it has more than 64 MiB"):
        toml(Path("/dev/zero"))


def test_whole_files(tmp_path: Path) -> None:
    """What numpy writes is read, also packed ones that become a thousand times as large."""
    large = np.zeros((1000, 1000))
    np.savez_compressed(tmp_path / "packed.npz", a=large, b=np.int8(3))
    np.savez(tmp_path / "stored.npz", a=large.T, b=np.asfortranarray(large[:3]))
    np.save(tmp_path / "one.npy", np.arange(12).reshape(3, 4))
    packed, stored = arrays(tmp_path / "packed.npz"), arrays(tmp_path / "stored.npz")
    assert isinstance(packed, dict)
    assert isinstance(stored, dict)
    np.testing.assert_array_equal(packed["a"], large)
    assert packed["b"] == 3
    assert stored["b"].shape == (3, 1000)
    np.testing.assert_array_equal(arrays(tmp_path / "one.npy"), np.arange(12).reshape(3, 4))


@pytest.mark.parametrize(
    "text", ["(" * 5000 + "A" + ")" * 5000, "A" + "'" * 5000, "!" * 9999 + "A"]
)
def test_functions_of_cells_that_nest_deeply(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"cell X: .* is no function of its inputs A") as caught:
        function_of(text, ("A",), "cell X")
    assert len(str(caught.value)) < 300


def test_a_key_of_twenty_thousand_dots(tmp_path: Path) -> None:
    path = tmp_path / "points.toml"
    for key in ("a", "points", "'a'", '"a b" ', "[a", "x = 3\ny = {points"):
        path.write_text(key + ".a" * 20_000 + " = 1")
        start = time.process_time()
        with pytest.raises(InvalidInput, match="toml: a key in it has more than 100 parts"):
            read_sweep(path)
        assert time.process_time() - start < 1
    path.write_text("points" + ".a" * 60 + " = 1")
    with pytest.raises(InvalidInput, match="points must be a list of specs"):
        read_sweep(path)
    path.write_text("points = []\n# " + "..." * 200 + "a" * 1_000_000)
    with pytest.raises(InvalidInput, match="at least one design point"):
        read_sweep(path)


@pytest.mark.parametrize(
    "condition",
    ["k * 1" + "0" * 400 + " > 1", "k * -1" + "0" * 400 + " > 1", "not " * 120 + "k > 1"],
)
def test_conditions_beyond_what_python_computes(condition: str, tmp_path: Path) -> None:
    path = tmp_path / "points.toml"
    grid = '[[grid]]\nspec = "lmul:format=bf16,k={k}"\nk = [2.5, 3]\n'
    path.write_text(f'{grid}where = "{condition}"')
    with pytest.raises(InvalidInput) as caught:
        read_sweep(path)
    assert len(str(caught.value)) < 700
