"""The hardware of dot products: steps for each way to accumulate."""

from .datapaths import datapath

__all__ = ["datapath"]
