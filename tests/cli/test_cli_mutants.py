"""`hwarith mutate`: survivors as a table, JSON and exit status."""

from __future__ import annotations

from tests.cli.running import TINY, Run, assert_one_line


def test_all_found(run: Run) -> None:
    done = run("mutate", TINY, "--count", "12")
    assert (done.status, done.err) == (0, "")
    assert "of 12 faults" in done.out


def test_some_left(run: Run) -> None:
    done = run("mutate", TINY, "--count", "8", "--vectors", "2", "--json")
    assert done.status == 1
    (found,) = done.json
    left = found["missed"] + found["undecided"]
    assert left > 0
    assert found["killed"] + found["equivalent"] + left == len(found["mutants"]) == 8
    assert done.err.startswith("hwarith: faults that nothing has found, nor shown to change")
    assert f": {left} of mul:a=e2m1fn" in done.err


def test_mistakes(run: Run) -> None:
    assert_one_line(run("mutate"), "name at least one SPEC")
    assert_one_line(run("mutate", TINY, "--count", "0"), "mutate: count must be an integer")
    assert_one_line(run("mutate", "mull:a=bf16"), "")
