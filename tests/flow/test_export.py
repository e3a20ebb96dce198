"""Exported blocks: what is in them, and that nothing of the user's is lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

import hwarith as hw
from hwarith import files
from hwarith.flow.export import axis, folder, generator
from hwarith.flow.export.block import Block
from hwarith.units import unit
from hwarith.units.catalogue import CATALOGUE
from hwarith.units.interface import HANDSHAKE, ports
from tests.flow.exported import verilog_of

TINY = "mul:a=e2m1fn,stages=1"


@pytest.fixture(autouse=True)
def _some_verilog(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shipped, or nothing: no test here reads it."""
    shipped = {unit(spec).name for spec in CATALOGUE.values()}
    nothing = "module none; endmodule\n"
    monkeypatch.setattr(
        folder, "verilog", lambda u, **_: verilog_of(u) if u.name in shipped else nothing
    )


def block(spec: str, vectors: int = 3) -> Block:
    return folder.block_of(spec, 4.5, vectors, 1, None, {})


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_unit_of_the_catalogue(name: str) -> None:
    """The texts of each artefact are whole, name all ports, and parse."""
    u = unit(CATALOGUE[name])
    texts = folder.block_files(block(u.spec))
    for file, text in texts.items():
        assert text.endswith("\n"), file
        if not file.startswith("rtl/" + u.name + "."):
            assert not re.search(r"@\w+@", text), file
        if file.endswith(".py"):
            compile(text, file, "exec")
    readme = texts["README.md"].replace("\\|", "|")
    for port in ports(u):
        assert f"| `{port.name}` | {port.direction} | {port.bits} | {port.format} |" in readme
    assert all(words in readme for words in (u.spec, *u.conventions.values(), u.contract.bound))
    assert all(rule in readme for rule in HANDSHAKE) == bool(u.stages)
    assert set(json.loads(texts["librelane/config.json"])) >= {"DESIGN_NAME", "VERILOG_FILES"}
    core = yaml.safe_load(texts[f"{u.name}.core"].removeprefix("CAPI=2:"))
    for fileset in core["filesets"].values():
        for entry in fileset["files"]:
            assert (entry if isinstance(entry, str) else next(iter(entry))) in texts
    for filelist in (f"{u.name}.f", f"{u.name}_tb.f"):
        assert all(line in texts for line in texts[filelist].splitlines())
    constraints = texts[f"constraints/{u.name}.sdc"]
    assert "set period 4.5\n" in constraints
    assert ("get_ports clk" in constraints) == bool(u.stages)
    assert (f"rtl/{u.name}_axis.v" in texts) == bool(u.stages)


@pytest.mark.parametrize("spec", ["mac:a=int8", "mul:a=e4m3fn,round=port,flags=after,stages=2"])
def test_vectors_are_codes_of_the_golden_model(spec: str) -> None:
    """A line for each transfer or result, in as many digits as the port has."""
    u = unit(spec)
    texts = folder.block_files(block(spec, 40))
    columns = {}
    for port in (port for port in ports(u) if port.format):
        lines = texts[f"vectors/{port.name}.memh"].split()
        assert {len(line) for line in lines} == {-(-port.bits // 4)}
        columns[port.name] = [int(line, 16) for line in lines]
    inputs = list(zip(*(columns[name] for name in u.inputs), strict=True))
    results = list(zip(*(columns[name] for name in u.results), strict=True))
    if u.family == "mac":
        sums, total = [], 0
        for a, b, first, last in inputs:
            signed = [x - 256 if x > 127 else x for x in (a, b)]
            total = (0 if first else total) + signed[0] * signed[1]
            sums += [(total % 2**32,)] if last else []
        assert results == sums
    else:
        assert results == [tuple(u.golden(*row)) for row in inputs]
    assert len(results) == 40


# -- the layout of tdata ---------------------------------------------------------------------


def test_fields_begin_at_byte_boundaries() -> None:
    found = axis.fields(block("fma:a=e4m3fn,c=fp16,out=fp16,round=port,stages=1").inputs)
    assert [(port.name, at) for port, at in found] == [("a", 0), ("b", 8), ("c", 16), ("rm", 32)]
    text = axis.wrapper(block("cmp:a=e2m1fn,stages=1"))
    assert "input  wire [15:0] s_axis_tdata" in text
    assert ".b(s_axis_tdata[11:8])" in text
    assert "assign m_axis_tdata = {7'd0, result_y};" in text
    assert "s_axis_tdata[15:12], s_axis_tdata[7:4]" in text or (
        "s_axis_tdata[7:4], s_axis_tdata[15:12]" in text
    )


def test_tlast_is_the_end_of_a_group() -> None:
    mac = axis.wrapper(block("mac:a=int8"))
    assert ".last(s_axis_tlast)" in mac
    assert ".first(first)" in mac
    engine = axis.wrapper(block(CATALOGUE["engine_anfma"]))
    assert "wire completes = taken & ~s_axis_tdata[" in engine
    assert "reg first;" not in engine
    tile = axis.wrapper(block(CATALOGUE["bstile_2x2_fp4"]))
    assert ".last_of_sum(s_axis_tlast)" in tile
    assert ".last(s_axis_tdata[" in tile


# -- the folder ------------------------------------------------------------------------------


def snapshot(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def test_a_form_of_the_verilog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "verilog", hw.verilog)
    form = {"name": "tiny_mul", "registered": True, "reset": "async", "dsp": True}
    hw.export(TINY, tmp_path / "block", **form)
    texts = {path: content.decode() for path, content in snapshot(tmp_path / "block").items()}
    assert texts["rtl/tiny_mul.v"] == hw.verilog(TINY, **form)
    assert "posedge rst" in texts["rtl/tiny_mul.v"]
    assert "tiny_mul dut" in texts["tb/tiny_mul_tb.v"]
    assert "it does not depend on o_ready" in texts["README.md"]
    assert not [path for path, text in texts.items() if hw.unit(TINY).name in path + text]


def test_the_same_again_is_no_mistake(tmp_path: Path) -> None:
    paths = hw.export(TINY, tmp_path / "new" / "block")
    before = snapshot(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in paths} == set(before)
    assert hw.export(TINY, tmp_path / "new" / "block") == paths
    assert snapshot(tmp_path) == before


def test_a_folder_that_is_there_stays_the_same_one(tmp_path: Path) -> None:
    """A shell may be in it, or a link lead to it."""
    real = tmp_path / "real"
    real.mkdir()
    number = real.stat().st_ino
    (tmp_path / "link").symlink_to(real)
    paths = hw.export(TINY, tmp_path / "link")
    assert real.stat().st_ino == number
    assert all(path.is_file() for path in paths)
    assert {path.name[:9] for path in tmp_path.iterdir()} == {"real", "link"}
    assert not [path for path in real.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("kind", ["own file", "edited", "link", "other options"])
def test_a_users_files_are_not_overwritten(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "block"
    if kind == "own file":
        path.mkdir()
        (path / "mine.txt").write_text("mine")
    else:
        hw.export(TINY, path)
        readme = path / "README.md"
        if kind == "edited":
            readme.write_text(readme.read_text() + "my notes\n")
        if kind == "link":
            (tmp_path / "elsewhere").write_text(readme.read_text())
            readme.unlink()
            readme.symlink_to(tmp_path / "elsewhere")
    before = snapshot(tmp_path)
    period = 3 if kind == "other options" else 10
    with pytest.raises(hw.InvalidInput, match=r"has files that are not those to be written: ") as e:
        hw.export(TINY, path, period=period)
    assert "--force" in str(e.value)
    assert snapshot(tmp_path) == before
    hw.export(TINY, path, period=period, force=True)
    assert "my notes" not in (path / "README.md").read_text()
    assert (path / "mine.txt").exists() == (kind == "own file")


def test_nothing_is_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full in the middle leaves no folder, and no file beside it."""
    written = []

    def write_text(path: Path, text: str) -> None:
        if len(written) == 5:
            raise hw.InvalidInput(f"{path} cannot be written: No space left on device")
        written.append(path)
        path.write_text(text)

    monkeypatch.setattr(files, "write_text", write_text)
    with pytest.raises(hw.InvalidInput, match="No space left"):
        hw.export(TINY, tmp_path / "block")
    assert len(written) == 5
    assert list(tmp_path.iterdir()) == []
    written.clear()
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(hw.InvalidInput, match="No space left"):
        hw.export(TINY, tmp_path, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"period": 0}, r"export: period must be above 0 and up to 1,000,000 ns, not 0"),
        ({"period": float("nan")}, r"export: period must be above 0 .* not nan"),
        ({"period": "fast"}, r"export: period must be a number of ns, not 'fast'"),
        ({"vectors": 0}, r"export: vectors must be an integer, 1 to 100000, not 0"),
        ({"tag": 3}, r"unknown export: option of the Verilog"),
        ({"reset": "none"}, r"unknown export: reset"),
        ({"name": "wire"}, r"name 'wire' must be"),
        ({"seed": -1}, r"export: seed must be an integer, 0 to 4294967295, not -1"),
    ],
)
def test_mistakes(tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(hw.InvalidInput, match=message):
        hw.export(TINY, tmp_path / "block", **settings)
    assert list(tmp_path.iterdir()) == []


def test_a_wrapper_needs_a_handshake(tmp_path: Path) -> None:
    with pytest.raises(hw.InvalidInput, match=r"combinational .* stages=1 or more"):
        hw.export("mul:a=e2m1fn", tmp_path / "block", axi_stream=True)
    hw.export(TINY, tmp_path / "plain", axi_stream=False)
    assert not list((tmp_path / "plain").rglob("*axis*"))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    for force in (False, True):
        with pytest.raises(hw.InvalidInput, match=r"output folder .*taken is a file"):
            hw.export(TINY, tmp_path / "taken", force=force)


# -- the generator ---------------------------------------------------------------------------


def asked(path: Path, parameters: object, text: str | None = None) -> str:
    job = {"gapi": "1.0", "files_root": str(path), "vlnv": "::x:0", "parameters": parameters}
    (path / "job.yml").write_text(yaml.safe_dump(job) if text is None else text)
    return str(path / "job.yml")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"spec": "mull:a=bf16"}, "unknown unit 'mull'; did you mean 'mul'?"),
        ({"spec": "mul:a=bf61"}, "mul: parameter a: unknown format 'bf61'"),
        ({"spec": 7}, "FuseSoC generator: spec must be a text, not 7"),
        ({}, "FuseSoC generator: parameter spec is missing"),
        (None, "FuseSoC generator: parameter spec is missing"),
        ({"spec": TINY, "perod": 3}, "unknown parameter of the FuseSoC generator 'perod'; did you"),
        ({"spec": TINY, "period": -3}, "export: period must be above 0"),
    ],
)
def test_mistakes_of_the_generator(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    parameters: object,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert generator.main([asked(tmp_path, parameters)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"hwarith: {message}")
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["job.yml"]


def test_files_of_the_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("[1", "- 1\n", "\x00"):
        assert generator.main([asked(tmp_path, {}, text)]) == 2
    assert generator.main([str(tmp_path / "none.yml")]) == 2
    assert generator.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 5
    assert generator.main([asked(tmp_path, {"spec": TINY, "period": 3})]) == 0
    core = (tmp_path / f"{unit(TINY).name}.core").read_text()
    assert "\nname: ::x:0\n" in core
    assert "set period 3\n" in (tmp_path / f"constraints/{unit(TINY).name}.sdc").read_text()
