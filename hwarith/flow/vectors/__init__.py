"""Conformance vectors: of a unit to a file, and of a file through a unit."""

from .generated import Vectors, vectors
from .run import Run, run_vectors

__all__ = ["Run", "Vectors", "run_vectors", "vectors"]
