"""Grids of sweep files: conditions, ranges, parameters that are not always there."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from hwarith.exceptions import InvalidInput
from hwarith.explore.sweeps import grid
from hwarith.explore.sweeps.condition import Condition
from hwarith.explore.sweeps.grid import expand

VALUES = {"format": "bf16", "k": 5, "on": True, "share": 0.5}


def specs(text: str) -> list[str]:
    return list(expand("grid[0]", tomllib.loads(text)))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("k <= format.fraction_bits", True),
        ("k + 3 <= format.fraction_bits", False),
        ("format.exponent_bits == 8 and format.bits == 16", True),
        ("1 < k < 5", False),
        ("1 < k <= 5", True),
        ("format in ['fp16', 'bf16']", True),
        ("format not in ('fp16', 'bf16')", False),
        ("not on or k * 2 - 1 == 9", True),
        ("k > -1 and share < 1", True),
        ("on", True),
        ("gone == 1", None),
        ("k == 4 and gone == 1", False),
        ("k == 5 and gone == 1", None),
    ],
)
def test_conditions(text: str, holds: bool | None) -> None:
    assert Condition(text, [*VALUES, "gone"])(VALUES) is holds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os').system('true')", "unknown parameter '__import__'"),
        ("k.real == 5", "unknown property of a format 'real'; allowed: bits, exponent_bits"),
        ("format.__class__ == 1", "unknown property of a format '__class__'"),
        ("format.bits.real == 1", "'format.bits.real' is not allowed; allowed: parameters"),
        ("[x for x in [k]] == 1", "unknown parameter 'x'"),
        ("(lambda: 1) == 1", "is not allowed"),
        ("k ** 9 == 1", "'k \\*\\* 9' is not allowed"),
        ("k == 1 if on else 2", "is not allowed"),
        ("f'{k}' == '5'", "is not allowed"),
        ("k(1) == 1", "is not allowed"),
        ("k = 5", "cannot be read"),
        ("", "cannot be read"),
        ("k\0", "cannot be read"),
        ("(" * 400, "cannot be read"),
        ("k == " + "-" * 490 + "5", "nests too deeply"),
        ("1" * 501, "at most 500 characters"),
        (5, "must be a text"),
        ("k", "k is neither true nor false"),
        ("k or on", "k is neither true nor false"),
        ("format < 3", r"format < 3 compares \['bf16', 3\]"),
        ("k in 3", "compares"),
        ("k is 5", "compares"),
        ("format * 9 == 1", "format is 'bf16', not a number"),
        ("on + 1 == 2", "on is True, not a number"),
        ("fromat == 1", "unknown parameter 'fromat'; did you mean 'format'"),
        ("k.bits == 1", "unknown property|format"),
    ],
)
def test_what_is_no_condition(text: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        Condition(text, VALUES)(VALUES)
    assert "\n" not in str(caught.value)


def test_where_leaves_what_holds() -> None:
    found = specs(
        """
        spec = "lmul:format={format},k={k}"
        format = ["bf16", "e5m2"]
        k = { from = 1, to = 9, step = 2 }
        where = ["k <= format.fraction_bits", "k != 3"]
        """
    )
    assert found == [f"lmul:format={x}" for x in ("bf16,k=1", "bf16,k=5", "bf16,k=7", "e5m2,k=1")]


def test_a_parameter_may_exist_for_some_values_of_another() -> None:
    text = """
        round = ["rne", "srb"]
        n = { values = [4, 8], when = "round == 'srb'" }
        m = { values = [1], when = "n == 8" }
        """
    assert specs(f'spec = "mul:a=bf16,round={{round}},n={{n}},m={{m}}"\n{text}') == [
        "mul:a=bf16,round=rne",
        "mul:a=bf16,round=srb,n=4",
        "mul:a=bf16,round=srb,n=8,m=1",
    ]
    first = specs(f'spec = "mul:n={{n}},m={{m}},round={{round}}"\n{text}')
    assert first == ["mul:round=rne", "mul:n=4,round=srb", "mul:n=8,m=1,round=srb"]
    nested = specs(f'spec = "engine:pe=(x:n={{n}},b=1,m={{m}}),round={{round}}"\n{text}')
    assert nested[0] == "engine:pe=(x:b=1),round=rne"


def test_a_condition_says_nothing_where_its_parameter_is_not() -> None:
    found = specs(
        """
        spec = "mul:round={round},n={n}"
        round = ["rne", "srb"]
        n = { values = [4, 8], when = "round == 'srb'" }
        where = "n > 4"
        """
    )
    assert found == ["mul:round=rne", "mul:round=srb,n=8"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('where = "k < 1"', "its conditions leave no combination"),
        ('where = "j < 1"', r'condition "j < 1": unknown parameter .j.; .*allowed: k'),
        ("where = \"k < 'x'\"", 'condition "k < .x."'),
        ("where = 3", "a condition must be a text"),
        ('k = { values = [3], when = "k == 3" }', "k: condition .*unknown parameter 'k'"),
        ("k = { values = [3], whem = 1 }", "k: unknown key 'whem'; did you mean 'when'"),
        ("k = { from = 3 }", "k must be a list, or a table with values"),
        ("k = { from = 3, to = 2 }", "k must be a list that is not empty"),
        ("k = { from = 3, to = 9, step = 0 }", "a step of 1 or more"),
        ("k = { from = 0, to = 1000000000000 }", "k has more than 100000 values"),
        ("k = [[1]]", "k must be a list of texts and numbers"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    k = "" if text.startswith("k") else "k = [1, 2]\n"
    with pytest.raises(InvalidInput, match=message) as caught:
        specs(f'spec = "lmul:k={{k}}"\n{k}{text}')
    assert str(caught.value).startswith("grid[0]")
    assert "\n" not in str(caught.value)


def test_a_conditional_parameter_must_be_one_of_the_spec() -> None:
    with pytest.raises(InvalidInput, match=r"n has a when; spec must have a n=\{n\}"):
        specs('spec = "mul:a=e{k}m{n}"\nk = [1]\nn = { values = [1], when = "k == 1" }')


def test_too_many_combinations(monkeypatch) -> None:
    monkeypatch.setattr(grid, "MOST", 100)
    lists = "".join(f"{name} = {{ from = 1, to = 50 }}\n" for name in "ab")
    with pytest.raises(InvalidInput, match=r"grid\[0\] has more than 100 combinations"):
        specs(f'spec = "mul:a=e{{a}}m{{b}}"\n{lists}')
