"""How even pipelines are after mapping: the longest path to a register rank over the mean of all.

    python bench/balance.py [--unit fma ...] [--format fp16 ...] [--stages 2 ...] [--library osu018]
        [--plain]

Prints for each unit and number of stages the longest path, the mean of the longest paths to its
ranks, their ratio, and whether it is slower than with a stage less, of those that are asked for.
Ranks are placed by the library's delays (``stages=N,library=L``), or with ``--plain`` by the model
alone (``stages=N``). Ends with status 1 if a ratio is beyond `MOST_UNEVEN` or more stages are
slower.
"""

from __future__ import annotations

import argparse
import sys

import hwarith as hw

UNITS = ("fma", "mul", "add", "div")

FORMATS = ("fp16", "bf16", "fp32")

STAGES = (2, 3, 4, 5, 6)

MOST_UNEVEN = 1.2
"""What the longest path to a rank may be, of the mean."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--unit", nargs="+", default=UNITS)
    parser.add_argument("--format", nargs="+", default=FORMATS)
    parser.add_argument("--stages", nargs="+", type=int, default=STAGES)
    parser.add_argument("--library", nargs="+", default=["generic", "osu018"])
    parser.add_argument("--plain", action="store_true")
    asked = parser.parse_args()
    uneven = slower = 0
    print("| unit | library | stages | longest | mean | ratio | |")
    print("|---|---|--:|--:|--:|--:|---|", flush=True)
    for library in asked.library:
        for spec in (f"{family}:a={f}" for family in asked.unit for f in asked.format):
            before = float("inf")
            for stages in sorted(asked.stages):
                by = "" if asked.plain else f",library={library}"
                found = hw.synthesize(f"{spec},stages={stages}{by}", library=library)
                assert found.segments is not None
                longest, mean = max(found.segments), sum(found.segments) / stages
                notes = ["uneven"] * (longest > MOST_UNEVEN * mean)
                notes += ["slower"] * (longest > before)
                uneven, slower = uneven + ("uneven" in notes), slower + ("slower" in notes)
                before = longest
                print(
                    f"| `{spec}` | {library} | {stages} | {longest:.2f} | {mean:.2f} "
                    f"| {longest / mean:.3f} | {', '.join(notes)} |",
                    flush=True,
                )
    print(f"{uneven} beyond {MOST_UNEVEN}, {slower} slower than with a stage less")
    return int(uneven + slower > 0)


if __name__ == "__main__":
    sys.exit(main())
