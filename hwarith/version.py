"""The version of hwarith."""

__version__ = "0.1.0"
