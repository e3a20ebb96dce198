"""The application: its commands in the order of its help, and what a mistake ends in."""

from __future__ import annotations

import inspect
import io
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..exceptions import HwarithError, shown, unknown
from . import checks, choices, costs, gpus, hardware, models, units
from .completion import join_words
from .output import fail

EXIT_STATUSES = {
    0: "done, and what was asked is so",
    1: "a check failed: results differ, a unit is refuted, faults are left",
    2: "a mistake in what was given, or a tool or file that is missing or failed",
    3: "undecided: no check failed, but a proof came to no end",
    130: "interrupted",
}
"""What the program ends with, of all commands."""

_EPILOG = (
    "A SPEC is a unit with its parameters: fma:a=bf16,b=bf16,c=fp32,out=fp32,stages=3\n\n"
    "Tables fit the terminal, or 80 characters; -v shows all columns, --json is for programs.\n\n"
    "Exit status: " + "; ".join(f"{status} {what}" for status, what in EXIT_STATUSES.items()) + "."
)


class _Commands(TyperGroup):
    """The commands; of one that is none it says which was meant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise unknown("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="hwarith",
    help="Bit-accurate models and verified Verilog of machine-learning arithmetic.",
    epilog=_EPILOG,
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS: dict[str, tuple[Callable[..., Any], str]] = {
    "list": (units.list_, "list"),
    "show": (units.show, "show"),
    "eval": (units.eval_, "unit"),
    "generate": (hardware.generate, "verilog"),
    "export": (hardware.export, "export"),
    "vectors": (hardware.vectors, "vectors"),
    "run": (hardware.run, "run_vectors"),
    "regress": (hardware.regress, "regress"),
    "prove": (hardware.prove, "prove"),
    "mutate": (hardware.mutate, "mutate"),
    "check": (checks.check, "check"),
    "conform": (checks.conform, "conform"),
    "synth": (costs.synth, "synthesize"),
    "energy": (costs.energy, "energy"),
    "sweep": (choices.sweep, "sweep"),
    "compare": (choices.compare, "compare"),
    "cycles": (models.cycles, "cycles"),
    "metrics": (choices.metrics, "metrics"),
    "transformer": (models.transformer, "transformer"),
    "weights": (models.weights, "weights"),
    "datatypes": (models.datatypes, "datatypes"),
    "search-format": (models.search_format, "search_format"),
    "state-updates": (models.state_updates, "state_updates"),
    "reproducibility": (models.reproducibility, "reproducibility"),
    "gpu": (gpus.gpu, "gpu"),
    "gpu-check": (gpus.gpu_check, "gpu_check"),
    "report": (choices.report, "report"),
}
"""Every command in the order of the help: what it runs, and what has its name in `hwarith`."""

for _name, (_function, _python) in COMMANDS.items():
    app.command(
        _name,
        help=f"{inspect.getdoc(_function)}\n\nIn Python: hwarith.{_python}.",
        context_settings={"ignore_unknown_options": _name == "eval"},
    )(_function)

# Typer does not export the base of its errors.
_UsageError: Any = typer.BadParameter.__mro__[1]


def _version(wanted: bool) -> None:
    if wanted:
        from ..version import __version__

        print(f"hwarith {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Bit-accurate models and verified Verilog of machine-learning arithmetic."""


def _drop_output() -> None:
    """Have what is left of standard output go nowhere; else Python would try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run the command line; a mistake is one line on standard error and exit status 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may be of any bytes
        sys.stdout.reconfigure(errors="backslashreplace")
    join_words(os.environ)
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
