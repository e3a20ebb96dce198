"""numpy, imported at its first use: what works on plain integers runs without it.

Definitions, formats, hardware and its Verilog need no arrays, and so no numpy: a web page has them
where there is none, and a command that only lists or writes does not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
else:
    from importlib import import_module
    from types import ModuleType

    class _Lazy(ModuleType):
        """A module by its name, of which nothing is loaded before something in it is asked for."""

        def __getattr__(self, name: str) -> object:
            value = getattr(import_module(self.__name__), name)
            setattr(self, name, value)  # found without this function the next time
            return value

    np = _Lazy("numpy")

__all__ = ["np"]
