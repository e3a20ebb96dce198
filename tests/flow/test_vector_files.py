"""Files of vectors: what is written is read back, and what differs is found."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import softfloatpy as softfloat

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.flow.evidence.records import SOFTFLOAT
from hwarith.flow.vectors.generated import FORMATS
from hwarith.inputs import read_arrays
from tests.evidence import compared
from tests.tiers import few
from tests.units.test_softfloat import METHODS, TYPES

UNITS = (
    "mul:a=fp16",
    "fma:a=bf16,c=fp32,out=fp32,round=port,op=port,flags=after",
    "add:a=e15m112",
    "cmp:a=fp16",
    "mac:a=bf16",
    "dfpmac:p=5",
    "fpint",
    "bspe",
    "bitplane_dot:n=4,m=2,pi=2,lanes=80,k=300",
    "engine:rows=3,columns=2",
    "bstile:rows=2,columns=3",
)
OWN = [form for form in FORMATS if form != "testfloat"]

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def call(text: str, name: str = "vectors.txt") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return call


def written(unit: str, form: str, folder: Path, n: int = 40) -> Path:
    path = folder / f"vectors.{form}"
    hw.vectors(unit, n, seed=4).write(path, form)
    return path


@pytest.mark.parametrize("form", OWN)
@pytest.mark.parametrize("spec", UNITS)
def test_what_is_written_is_read_back(spec: str, form: str, tmp_path: Path) -> None:
    found = hw.run_vectors(spec, written(spec, form, tmp_path))
    assert found.passed
    assert (found.results, found.nan_bits, found.skipped, found.notes) == (40, 0, {}, ())


@pytest.mark.parametrize("spec", UNITS)
def test_transfers_are_of_the_same_calls(spec: str) -> None:
    """A unit's results for the calls that `calls` makes of transfers are those of the golden model
    at these transfers, and the transfers of these calls are the same again."""
    vectors = hw.vectors(spec, 40, seed=6)
    transfers = vectors.unit.transfers
    columns = list(vectors.inputs.values())
    calls = transfers.calls(columns)
    again = [transfers.of(vectors.unit.check_operands(tuple(call))) for call in calls]
    for column, parts in zip(columns, zip(*again, strict=True), strict=True):
        assert np.array_equal(column, np.concatenate(parts))


@pytest.mark.parametrize("form", OWN)
def test_a_wrong_result_is_found_in_its_place(form: str, tmp_path: Path) -> None:
    """One bit of the last result of a file that is right but for it."""
    path = written("mac:a=bf16", form, tmp_path)
    if form == "npz":
        arrays = read_arrays(path, "vectors")
        assert isinstance(arrays, dict)
        arrays["y"][-1] ^= 1 << 7
        np.savez(path, **arrays)  # type: ignore[arg-type]
        places = len(arrays["y"])
    else:
        text = path.read_text().rstrip("\n")
        fault = "0123456789ABCDEF"[int(text[-2], 16) ^ 8]
        path.write_text(text[:-2] + fault + text[-1] + "\n")
        places = text.count("\n") + 1
    found = hw.run_vectors("mac:a=bf16", path)
    assert found.differing == {"golden model": 1}
    (row,) = found.differences
    assert str(row["line"]).split("-")[-1] == str(places)
    difference = int(str(row["y expected"]), 16) ^ int(str(row["y golden model"]), 16)
    assert difference == 1 << 7
    assert f"of 40 results of {path.name} " in str(found)
    assert "1 differ from the golden model" in str(found)


def changed(spec: str, result: str) -> str:
    """A combinational unit of two operands whose result y goes through an expression of `right`."""
    u = hw.unit(spec)
    inner = re.sub(rf"\bmodule {u.name}\b", "module inner", hw.verilog(u))
    ports = ", ".join(f"input [{f.bits - 1}:0] {name}" for name, f in u.operands.items())
    last = u.results["y"].bits - 1
    return (
        f"{inner}\nmodule {u.name}({ports}, output [{last}:0] y);\n  wire [{last}:0] right;\n"
        f"  inner inner(.a(a), .b(b), .y(right));\n  assign y = {result};\nendmodule\n"
    )


def test_hardware_that_differs_is_found(tmp_path: Path) -> None:
    path = written("mul:a=e4m3fn", "csv", tmp_path, 500)
    agree = {"golden model": 0, "RTL": 0}
    assert hw.run_vectors("mul:a=e4m3fn", path, rtl=True).differing == agree
    fault = changed("mul:a=e4m3fn", "right ^ {a[7] & b[7], 7'h0}")
    found = hw.run_vectors("mul:a=e4m3fn", path, most=3, verilog=fault)
    assert found.differing["golden model"] == 0
    assert found.differing["RTL"] > 20
    rows = found.differences
    assert len(rows) == 3
    for row in rows:
        a, b, y, rtl = (int(str(row[x]), 16) for x in ("a", "b", "y golden model", "y RTL"))
        assert y == hw.unit("mul:a=e4m3fn")(a, b) == rtl ^ 0x80


@pytest.mark.parametrize(
    "spec", ["mac:a=e4m3fn,acc=bf16", "engine:pe=(fma:a=e4m3fn),rows=2,columns=2"]
)
def test_hardware_takes_groups(spec: str, tmp_path: Path) -> None:
    found = hw.run_vectors(spec, written(spec, "memh", tmp_path), rtl=True)
    assert found.differing == {"golden model": 0, "RTL": 0}


def test_hardware_is_held_to_the_bits_of_nan(write: Write) -> None:
    """The file leaves the NaN open, the golden model does not."""
    spec = "minmax:a=fp16"
    path = write("# mine\n7E01 3C00 7E77\n")
    found = hw.run_vectors(spec, path, rtl=True)
    assert found.differing == {"golden model": 0, "RTL": 0}
    assert found.nan_bits == 1
    found = hw.run_vectors(spec, path, verilog=changed(spec, "right | 16'h1"))
    assert found.differing == {"golden model": 0, "RTL": 1}


# -- the layouts, read as others read them -------------------------------------------------------


def test_words_for_readmemh() -> None:
    vectors = hw.vectors("convert:a=fp16,out=int8", 50)
    text = vectors.content("memh").decode()
    places = re.findall(r"^//   \[(\d+):(\d+)\] (\w+): ", text, re.MULTILINE)
    assert places == [("23", "8", "a"), ("7", "0", "y")]
    words = [int(line.replace("_", ""), 16) for line in text.splitlines() if line[0] != "/"]
    assert [x >> 8 for x in words] == vectors.inputs["a"].tolist()
    assert [x & 255 for x in words] == vectors.results["y"].tolist()


def test_words_of_single_ports() -> None:
    vectors = hw.vectors("mac:a=bf16", 10)
    assert [int(x, 16) for x in vectors.memh("b").split()] == vectors.inputs["b"].tolist()
    results = vectors.memh("y").split()
    assert [set(x) == {"x"} for x in results] == (~vectors.complete).tolist()
    pairs = [line.split("_") for line in vectors.memh("last", "a").splitlines()]
    assert [int(last, 16) for last, _ in pairs] == vectors.complete.astype(int).tolist()
    with pytest.raises(InvalidInput, match=r"unknown port 'c'; .*allowed: a, b, first, last, y"):
        vectors.memh("c")


def test_tables_have_titles() -> None:
    vectors = hw.vectors("fma:a=fp16", 50)
    comment, *lines = vectors.content("csv").decode().splitlines()
    assert comment == f"# {vectors.unit.spec}"
    rows = list(csv.DictReader(lines))
    assert [row["class"] for row in rows] == vectors.classes.tolist()
    assert [int(row["y"], 16) for row in rows] == vectors.results["y"].tolist()


def test_arrays(tmp_path: Path) -> None:
    vectors = hw.vectors("mul:a=fp16", 50)
    vectors.write(tmp_path / "x.npz", "npz")
    arrays = np.load(tmp_path / "x.npz")
    assert str(arrays["spec"]) == vectors.unit.spec
    assert (arrays["a"] == vectors.inputs["a"]).all()
    assert (vectors.unit(arrays["a"], arrays["b"]) == arrays["y"]).all()


@pytest.mark.parametrize("name", few(TYPES, 2))
@pytest.mark.parametrize("family", METHODS)
def test_testfloat_lines_are_softfloats(family: str, name: str) -> None:
    """Operands, result and flags of each line, with SoftFloat in the place of `testfloat_ver`."""
    number = TYPES[name]
    size = hw.format(name).bits // 8
    softfloat.set_rounding_mode(softfloat.RoundingMode.NEAR_EVEN)
    softfloat.set_tininess_mode(softfloat.TininessMode.AFTER_ROUNDING)
    lines = hw.vectors(f"{family}:a={name}", 300).content("testfloat").decode().splitlines()
    assert len(lines) == 300
    compared(SOFTFLOAT, len(lines), hw.unit(f"{family}:a={name}"))
    for line in lines:
        *operands, y, flags = line.split(" ")
        assert all(len(code) == 2 * size for code in (*operands, y))
        softfloat.set_exception_flags(0)
        values = [number.from_bytes(bytes.fromhex(code)) for code in operands]
        result = getattr(number, METHODS[family])(*values).to_bytes().hex().upper()
        raised = int(softfloat.get_exception_flags())
        assert f"{raised:02X}" == flags, line
        codes = np.array([int(result, 16), int(y, 16)], hw.format(name).dtype)
        assert result == y or np.isnan(hw.format(name).decode(codes)).all(), line


# -- other people's files ------------------------------------------------------------------------

TESTFLOAT = """\
3C00 4000 4200 00
7BFF 7BFF 7C00 05
7C01 3C00 7FFF 10
3C00 0C00 3C00 01
"""


@pytest.mark.parametrize("flags", ["after", "none"])
def test_testfloat(flags: str, write: Write) -> None:
    found = hw.run_vectors(f"add:a=fp16,flags={flags}", write(TESTFLOAT))
    assert found.passed
    assert found.results == 4
    assert found.nan_bits == 1
    assert "1 of them are NaN of other bits than the file's" in str(found)
    assert ("flags are not compared" in str(found)) == (flags == "none")
    strict = hw.run_vectors("add:a=fp16", write(TESTFLOAT), nan="bits")
    assert strict.differing == {"golden model": 1}
    wrong = hw.run_vectors("add:a=fp16,flags=after", write(TESTFLOAT.replace("00 05", "00 04")))
    assert wrong.differing == {"golden model": 1}
    assert wrong.differences[0]["flags expected"] == "0x04"
    assert wrong.differences[0]["flags golden model"] == "0x05"


FPTEST = """\
Floating point tests: mine
--------------------------

b32+ =0 +1.000000P0 +1.000000P0 -> +1.000000P1
b32+ =0 +1.7FFFFFP127 +1.7FFFFFP127 -> +Inf xo
b32+ 0 i +1.7FFFFFP127 +1.7FFFFFP127 -> +1.7FFFFFP127 xo
b32- < +1.000000P0 +1.000000P0 -> -Zero
b32+ =0 -Inf +Inf -> Q i
b32+ =0 i -Inf +Inf -> # i
b32+ =0 o +1.7FFFFFP127 +1.7FFFFFP127 -> +1.7FFFFFP-64 xo
b32+ > +0.000001P-126 -1.000000P0 -> -1.7FFFFFP-1 x
b32* =0 +1.000001P-126 +1.7FFFFEP-1 -> +1.000000P-126 xu
b32* =0 Q S -> Q
b64+ =0 +1.0000000000000P0 +1.0000000000000P0 -> +1.0000000000000P1
d64+ =0 +1E0 +1E0 -> +2E0
b32b64cff =0 -0.000001P-126 -> -1.0000000000000P-149
b32>C =0 Q -Zero -> -Zero
"""


@pytest.mark.parametrize(
    ("spec", "results", "skipped"),
    [
        ("add:a=fp32,round=port,op=port,flags=after", 6, {"trapped exceptions": 2}),
        ("add:a=fp32,round=port,flags=before", 5, {"operation b32-": 1}),
        ("add:a=fp32", 3, {"rounding rtz": 1, "rounding rup": 1, "trapped exceptions": 2}),
        ("add:a=fp32,op=sub,round=rdn", 1, {"operation b32+": 7}),
        ("mul:a=fp32,flags=after", 2, {"operation d64+": 1}),
        ("mul:a=fp32,flags=before", 2, {"operation d64+": 1}),
        ("add:a=fp64", 1, {"operation b32+": 7}),
        ("convert:a=fp32,out=fp64", 1, {}),
        ("minmax:a=fp32,nan=number", 1, {}),
    ],
)
def test_fptest(spec: str, results: int, skipped: dict[str, int], write: Write) -> None:
    found = hw.run_vectors(spec, write(FPTEST))
    assert found.passed, found
    assert found.results == results
    assert skipped.items() <= found.skipped.items()
    assert found.results + sum(found.skipped.values()) == FPTEST.count("->")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("P0 -> +1.000000P1", "P0 -> +1.000001P1"),
        ("+Inf xo", "+Inf x"),
        ("Q i", "Q"),
        ("-1.7FFFFFP-1 x", "-1.7FFFFEP-1 x"),
    ],
)
def test_a_wrong_line_of_fptest(old: str, new: str, write: Write) -> None:
    text = FPTEST.replace(old, new, 1)
    found = hw.run_vectors("add:a=fp32,round=port,flags=after", write(text))
    assert found.differing == {"golden model": 1}
    number = next(i for i, line in enumerate(text.splitlines(), 1) if line.endswith(new))
    assert found.differences[0]["line"] == str(number)


def test_a_table_of_ones_own(write: Write) -> None:
    """Values and codes, columns in any order, without the results of one row."""
    path = write("b,a,y\n2,1.5,3\n0x4000,-1,\n0.5,1e-8,0x0\n")
    assert hw.run_vectors("mul:a=fp16", path).passed
    wrong = hw.run_vectors("mul:a=fp16", write("b,a,y\n2,1.5,4\n"))
    assert list(wrong.differences) == [
        {
            "line": "2",
            "a": "0x3E00",
            "b": "0x4000",
            "y expected": "0x4400",
            "y golden model": "0x4200",
        }
    ]


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "text", "message"),
    [
        ("mul:a=fp16", "", "it has no vectors"),
        ("mul:a=fp16", "# only\n", "it has no vectors"),
        ("mul:a=fp16", "3C00 3C00\n", r"line 1 has 2 columns; mul:.* takes 3 \(a, b, y\)"),
        ("mul:a=fp16", "3C00 3C00 3C00\n3C00 3C0 3C00\n", "line 2: b must be 4 .*, not '3C0'"),
        ("mul:a=fp16", "3C00 3C0G 3C00\n", "line 1: b must be 4 .*, as fp16 has, not '3C0G'"),
        ("mul:a=fp16", "3C00 xxxx 3C00\n", "line 1: b must be 4 .*, not 'xxxx'"),
        (
            "mul:a=int3,out=int7",
            "7 7 39\n7 7 81\n",
            "result y: 129 is not a code of int7; allowed: -64 to 127",
        ),
        ("mul:a=fp16", "# mul:a=bf16\n1 1 1\n", "it is of mul:a=bf16.*; mul:a=fp16.* has a fp16"),
        ("mul:a=fp16", "a,c,y\n1,1,1\n", "columns must be those of mul:.*: a, b, some of y"),
        ("mul:a=fp16", "a,b,y\n", "it has no vectors"),
        ("mul:a=fp16", "a,b\n1,1\n", "columns must be those of .*not a, b"),
        ("mul:a=fp16", "a,b,y\n1,1\n", "line 2 has 2 columns, the titles 3"),
        ("mul:a=fp16", "a,b,y\n1,one,1\n", r"line 2: b: 'one' is neither a code \(0x...\)"),
        ("mul:a=fp16", "a,b,y\n1,,1\n", "line 2: b is empty"),
        (
            "mac",
            "3C00 3C00 1 0 3F800000\n",
            "vector 1 has a result y, which comes only with last=1",
        ),
        ("mac", "3C00 3C00 1 0 xxxxxxxx\n", "transfer 1, the last one, must have last=1"),
        (
            "mac",
            "3C00 3C00 0 1 3F800000\n",
            "transfer 1 must have first=1: it is set where a group",
        ),
        (
            "engine:pe=(fma:a=e4m3fn),rows=2,columns=1",
            "0000 00 00 1 xx\n0000 00 00 0 00\n",
            r"transfer 1 begins 1 rows of weights \(load=1\); before activations come 2",
        ),
        ("mul:a=bf16", "b32* =0 +Zero +Zero -> +Zero\n", "IBM's suite has nothing for mul:a=bf16"),
        ("mac", "b32* =0 +Zero +Zero -> +Zero\n", "IBM's suite has nothing for mac"),
        (
            "mul:a=fp32,round=rup",
            "b32* =0 +Zero +Zero -> +Zero\n",
            "takes b32. rounded rup; it has 1",
        ),
        ("mul:a=fp32", "b32* =0 +Zero -> +Zero\n", "line 1 has 1 operands, not 2"),
        ("mul:a=fp32", "b32* =1 +Zero -> +Zero\n", "line 1 must have an operation, one of > < 0"),
        ("mul:a=fp32", "b32* =0 +Zero +Zero ->\n", "line 1 must have an operation"),
        ("mul:a=fp32", "b32* =0 +Zero +Zero -> +Zero y\n", "line 1 must have an operation"),
        (
            "mul:a=fp32",
            "b32* =0 +Zero +2.000000P1 -> +Zero\n",
            "1: '\\+2.000000P1' is no number of",
        ),
        (
            "mul:a=fp32",
            "b32* =0 +Zero +1.000000P999 -> +Zero\n",
            "'\\+1.000000P999' is no number of",
        ),
        (
            "mul:a=fp32",
            "b32* =0 +Zero +1.FFFFFFP1 -> +Zero\n",
            "'\\+1.FFFFFFP1' is no number of fp32",
        ),
        (
            "mul:a=fp32",
            "b32* =0 +Zero +0.000001P0 -> +Zero\n",
            "'\\+0.000001P0' is no number of fp32",
        ),
    ],
)
def test_files_that_are_refused(spec: str, text: str, message: str, write: Write) -> None:
    path = write(text)
    with pytest.raises(InvalidInput, match=f"vectors {path}: .*{message}"):
        hw.run_vectors(spec, path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": [1.5]}, "columns must be those of mul"),
        ({"a": [1.5], "b": [1.0], "y": [1.0]}, "a must be a row of codes, unsigned integers, not"),
        ({"a": [1, 2], "b": [1], "y": [1]}, "its arrays must be of one length"),
        ({"a": [70000], "b": [1], "y": [1]}, "a: 70000 is not a code of fp16"),
    ],
)
def test_arrays_that_are_refused(arrays: dict, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    codes = {name: np.array(x) for name, x in arrays.items()}
    whole = {n: x.astype(np.uint32) if x.dtype.kind == "i" else x for n, x in codes.items()}
    np.savez(path, **whole)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=f"vectors {path}: .*{message}"):
        hw.run_vectors("mul:a=fp16", path)


@pytest.mark.parametrize("form", [*FORMATS, "fptest"])
def test_damaged_files_are_told(form: str, tmp_path: Path) -> None:
    """Any byte may be anything: the file is read as it is, or one message says what is wrong."""
    spec = "fma:a=fp32" if form in ("testfloat", "fptest") else "mac:a=bf16"
    path = tmp_path / f"vectors.{form}"
    content = FPTEST.encode() if form == "fptest" else hw.vectors(spec, 5).content(form)
    spec = "add:a=fp32" if form == "fptest" else spec
    random = np.random.default_rng(1)
    messages = []
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(random.integers(1, 4)):
            place = int(random.integers(len(damaged)))
            damaged[place : place + random.integers(3)] = random.bytes(int(random.integers(3)))
        path.write_bytes(damaged)
        try:
            hw.run_vectors(spec, path)
        except InvalidInput as error:
            messages.append(str(error))
    assert len(messages) > 5
    assert not any("\n" in message for message in messages)


def test_other_mistakes(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"vectors .*none.txt cannot be read: No such file"):
        hw.run_vectors("mul:a=fp16", tmp_path / "none.txt")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match=r"vectors .*binary: it is no text"):
        hw.run_vectors("mul:a=fp16", binary)
    with pytest.raises(InvalidInput, match=r"unknown comparison of NaN 'some'; .*any, bits"):
        hw.run_vectors("mul:a=fp16", binary, nan="some")
    with pytest.raises(InvalidInput, match=r"run: most must be an integer, 0 to 1000000, not -1"):
        hw.run_vectors("mul:a=fp16", binary, most=-1)
    with pytest.raises(InvalidInput, match=r"unknown format of vectors 'tst'; .*testfloat"):
        hw.vectors("mul:a=fp16", 5).content("tst")
    for spec in ("mac", "lmul:format=bf16", "minmax", "mul:a=int8", "mul:a=fp16,round=port"):
        with pytest.raises(InvalidInput, match=r"format testfloat: .*; allowed: "):
            hw.vectors(spec, 5).content("testfloat")
