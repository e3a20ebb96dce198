"""The multiply-add whose format is a port beside multiply-adds of its formats, as many as it holds
codes: `python bench/multi.py [LIBRARY]` prints areas and delays, and the ratio to their sum."""

from __future__ import annotations

import sys

import hwarith as hw


def main(library: str = "generic") -> None:
    unit = hw.unit("multi")
    found = hw.synthesize(unit, library=library)
    total = 0.0
    print(f"{'unit':24}{'copies':>8}{'area':>10}{'delay':>9}")
    for f in unit.formats:
        copies = unit.word // f.bits
        part = hw.synthesize(f"fma:a={f}", library=library)
        total += copies * part.area
        print(f"{f'fma:a={f}':24}{copies:8}{part.area:10.0f}{part.delay:9.1f}")
    print(f"{'together':24}{'':8}{total:10.0f}")
    print(f"{'multi':24}{1:8}{found.area:10.0f}{found.delay:9.1f}")
    print(f"ratio of areas {found.area / total:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
