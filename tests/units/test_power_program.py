"""AutoNumerics-Zero's program for 2^x: published errors, and units against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from bench import power_program as program


def test_real_errors_are_the_published_ones() -> None:
    assert program.real_error(program.start()) == pytest.approx(3.16e-13, rel=0.05)
    assert program.real_error(program.fitted()) == pytest.approx(2.19e-15, rel=0.05)
    assert program.gap() == pytest.approx(7.5, abs=0.5)


def test_errors_of_polynomials() -> None:
    published = (2.98e-2, 1.73e-3, 7.48e-5, 2.59e-6, 7.49e-8, 1.86e-9, 4.02e-11, 7.74e-13)
    assert program.polynomial_errors() == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize(("name", "dtype"), [("fp32", np.float32), ("fp64", np.float64)])
def test_units_give_what_numpy_gives(name: str, dtype: type) -> None:
    x = program.operands(name)[::16]
    assert x[0] == 0
    assert (program.on_units(name, x).astype(dtype) == program.in_numpy(dtype, x)).all()


def test_errors_on_units() -> None:
    assert program.error_of("fp64")[0] == pytest.approx(4.2e-15, rel=0.2)
    assert program.error_of("fp32") == pytest.approx((8.5e-7, 12.5), rel=0.2)
