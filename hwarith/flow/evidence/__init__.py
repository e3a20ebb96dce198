"""What is known of each unit: what was compared with what, proved, and tried with faults."""

from .records import Compared, Evidence, Mutated, Proved, Records, evidence, read_records

__all__ = ["Compared", "Evidence", "Mutated", "Proved", "Records", "evidence", "read_records"]
