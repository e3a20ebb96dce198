"""Comparing units: error metrics, workloads, sweeps, the result store and the report."""
