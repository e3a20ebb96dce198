"""What IEEE 754 asks of a single code: its integral value."""

from .integral import RoundInt

__all__ = ["RoundInt"]
