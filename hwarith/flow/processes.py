"""The start of every process that hwarith starts.

Each has a folder of its own (mode 700) as working directory and for temporary files, and Python
imports nothing from there: what lies in the system's temporary folder, or in the one that the user
is in, is not run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from .. import files
from ..exceptions import ToolFailure
from ..temporary import temporary_folder


def python(*arguments: str) -> list[str]:
    """The command of a Python process that imports nothing from the folder that it is started in,
    or that its script is in."""
    return [sys.executable, "-P", *arguments]


def run(
    command: list[str],
    cwd: Path,
    env: Mapping[str, str] | None = None,
    what: str = "",
    log: Path | None = None,
    seconds: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder of its own, where its temporary files are too, and return what it
    printed, which is also written to `log`. After so many `seconds` it is ended, with all that it
    started.

    Raises `ToolFailure` with its last lines.
    """
    environment = {**(os.environ if env is None else env), "TMPDIR": str(cwd)}
    name = what or Path(command[0]).name
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=seconds is not None,
    ) as process:
        try:
            done = subprocess.CompletedProcess(command, 0, *process.communicate(timeout=seconds))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise ToolFailure(f"{name} took more than {seconds:g} s") from None
        except BaseException:
            process.kill()
            raise
        done.returncode = process.returncode
    if log:
        files.write_text(log, done.stdout + done.stderr)
    if done.returncode:
        tail = " | ".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        where = f" (all of it in {log})" if log else ""
        raise ToolFailure(f"{name} failed with exit status {done.returncode}: {tail}{where}")
    return done


def start(command: list[str], cwd: Path, says: TextIO) -> subprocess.Popen[str]:
    """Start a program in a folder and a session of its own, to talk to it by standard input and
    output; what it says on standard error goes to a file."""
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=says,
        text=True,
        start_new_session=True,
    )


def streamed(command: list[str], size: int) -> Iterator[bytes]:
    """What a program that needs no files prints on standard output, in parts of at most so many
    bytes, while it runs. It is ended if no more is asked for. Raises `ToolFailure`."""
    with temporary_folder() as folder, (folder / "stderr").open("w+") as says:
        environment = os.environ | {"TMPDIR": str(folder)}
        with subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=says,
        ) as process:
            assert process.stdout is not None
            try:
                while part := process.stdout.read(size):
                    yield part
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            says.seek(0)
            tail = " | ".join(says.read().strip().splitlines()[-5:])
            name = Path(command[0]).name
            raise ToolFailure(f"{name} failed with exit status {process.returncode}: {tail}")


def said(command: list[str], env: Mapping[str, str] | None = None, what: str = "") -> str:
    """What a program that needs no files prints on standard output. Raises `ToolFailure`."""
    with temporary_folder() as folder:
        return run(command, folder, env, what).stdout
