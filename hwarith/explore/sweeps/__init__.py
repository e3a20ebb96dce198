"""Sweeps over design points: their files, the workers that measure them, and what is kept."""
