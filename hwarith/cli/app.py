"""The application: its commands in the order of its help, and what a mistake ends in."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import typer

from ..errors import HwarithError, shown
from . import checks, choices, costs, gpus, hardware, models, units
from .output import fail

app = typer.Typer(
    name="hwarith",
    help="Bit-accurate models and verified Verilog of machine-learning arithmetic.",
    epilog="A SPEC is a unit with its parameters: fma:a=bf16,b=bf16,c=fp32,out=fp32,stages=3",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("list")(units.list_)
app.command("show")(units.show)
app.command("eval", context_settings={"ignore_unknown_options": True})(units.eval_)
app.command("generate")(hardware.generate)
app.command("export")(hardware.export)
app.command("vectors")(hardware.vectors)
app.command("run")(hardware.run)
app.command("regress")(hardware.regress)
app.command("prove")(hardware.prove)
app.command("mutate")(hardware.mutate)
app.command("check")(checks.check)
app.command("conform")(checks.conform)
app.command("synth")(costs.synth)
app.command("energy")(costs.energy)
app.command("sweep")(choices.sweep)
app.command("compare")(choices.compare)
app.command("cycles")(models.cycles)
app.command("errors")(choices.errors)
app.command("transformer")(models.transformer)
app.command("weights")(models.weights)
app.command("reproducibility")(models.reproducibility)
app.command("gpu")(gpus.gpu)
app.command("gpu-check")(gpus.gpu_check)
app.command("report")(choices.report)

# Typer does not export the base of its errors.
_UsageError: Any = typer.BadParameter.__mro__[1]


def _drop_output() -> None:
    """Have what is left of standard output go nowhere; else Python would try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run the command line; a mistake is one line on standard error and exit status 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may be of any bytes
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="hwarith", standalone_mode=False)
        print(end="", flush=True)
    except HwarithError as error:
        fail(str(error), 2)
    except _UsageError as error:
        command = error.ctx.command_path if error.ctx else "hwarith"
        fail(f"{shown(error.format_message(), 300)} ({command} --help shows what is allowed)", 2)
    except (KeyboardInterrupt, typer.Abort):
        fail("interrupted", 130)
    except BrokenPipeError:  # the flush above; earlier ones typer ends in the same way
        _drop_output()
        sys.exit(1)
    except OSError as error:  # a full disk, and whatever else the system refuses
        _drop_output()
        place = shown(error.filename) if error.filename else "standard output"
        fail(f"{place}: {error.strerror or error}", 2)
    sys.exit(status if isinstance(status, int) else 0)
