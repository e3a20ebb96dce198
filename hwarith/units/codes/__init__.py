"""What IEEE 754 asks of a single code: its integral value, its class, sign and exponent."""

from .integral import RoundInt
from .properties import Class, LogB, SignInjection

__all__ = ["Class", "LogB", "RoundInt", "SignInjection"]
