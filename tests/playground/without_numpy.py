"""Run in a process of its own: what hwarith does where neither numpy nor numba is installed.

Reads specs with operands, and formats with values, from standard input; writes for each unit the
golden model's results and the Verilog, for each format how it rounds the values.
"""

from __future__ import annotations

import json
import sys
from importlib.abc import MetaPathFinder
from typing import Any


class Missing(MetaPathFinder):
    """Packages that are not there."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in ("numpy", "numba", "llvmlite", "ml_dtypes"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())

import hwarith as hw  # noqa: E402
from docs.playground import answers  # noqa: E402
from hwarith.explore.exact_result import exact_result, ulp  # noqa: E402


def answer(spec: str, codes: list[Any], with_verilog: bool) -> dict[str, Any]:
    u = hw.unit(spec)
    golden = u.golden(*codes)
    exact = exact_result(u, codes)
    out = next(iter(u.results.values()))
    return {
        "golden": list(golden) if isinstance(golden, tuple) else [golden],
        "exact": None if exact is None else [str(exact), str(ulp(exact, out))],
        "verilog": hw.verilog(u) if with_verilog else None,
    }


def evaluated() -> dict[str, Any]:
    """What the playground shows of each family to begin with: spec, operands, answer."""
    found = {}
    for row in answers.start()["units"]:
        texts = [port["example"] for port in answers.unit(row["spec"])["operands"]]
        answer = answers.answer(json.dumps(["evaluate", row["spec"], texts]))
        found[row["unit"]] = (row["spec"], texts, json.loads(answer))
    return found


def rounded(name: str, values: list[float]) -> list[Any]:
    f = hw.format(name)
    modes = ("rne", "rna", "rtz", "rup", "rdn", "rto")
    codes = [f.encode_one(x, round=mode) for x in values for mode in modes]
    return [codes, [str(f.decode_one(code)) for code in codes]]


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(
        json.dumps(
            {
                "units": [answer(*one, one[0] in given["verilog"]) for one in given["units"]],
                "formats": [rounded(*one) for one in given["formats"]],
                "families": evaluated(),
            }
        )
    )
