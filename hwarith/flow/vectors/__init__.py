"""Conformance vectors: of a unit to a file, of a file through a unit, and TestFloat's."""

from .conformance import Conformed, conform
from .generated import Vectors, vectors
from .run import Run, run_vectors

__all__ = ["Conformed", "Run", "Vectors", "conform", "run_vectors", "vectors"]
