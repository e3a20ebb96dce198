"""The version of hwarith: that of a tag in its repository, found when it was installed."""

from __future__ import annotations

from functools import cache

_NOT_INSTALLED = "0.0.0+not.installed"


def __getattr__(name: str) -> str:
    """``__version__`` is found when it is asked for: few need it, and it takes a while."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _version()


def release() -> str:
    """The release that this is, or that it comes after, as three numbers: what generated files
    say, so that they do not change with every commit."""
    numbers = _version().partition("+")[0].split(".")
    return ".".join([*(n for n in numbers if n.isdigit()), "0", "0"][:3])


@cache
def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("hwarith")
    except PackageNotFoundError:
        return _NOT_INSTALLED
