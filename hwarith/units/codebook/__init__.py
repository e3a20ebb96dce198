"""Weights by codebooks: a table that is written, and vectors of weights that are read from it."""

from .unit import Codebook

__all__ = ["Codebook"]
