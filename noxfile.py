"""The tests under every Python that is supported: ``nox``, or one of them, ``nox -s tests-3.12``.

A Python that is not there is skipped. `make test` is quicker: it keeps its environment.
"""

import nox

PYTHONS = ("3.11", "3.12", "3.13")

nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The fast tests, or those that are named: ``nox -s tests-3.12 -- tests/formats``."""
    session.env["PIP_CONSTRAINT"] = "constraints.txt"
    session.install("-e", ".[test,pnr]")
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session(python=PYTHONS)
def base(session: nox.Session) -> None:
    """What works without any extra: golden model, Verilog, simulation and report."""
    session.install(".")
    session.run("python", "tests/first_tour.py")
