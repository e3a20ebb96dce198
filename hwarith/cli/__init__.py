"""The command line: a thin skin over the public API.

Each module has a group of commands, `app` their order. What a table shows is asked of the results,
which know their rows; what is slow to import is imported by the command that needs it.
"""

from .app import main

__all__ = ["main"]
