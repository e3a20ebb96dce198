"""Errors of units whose operands or results are no plain numbers, beside values found by hand."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

import numpy as np
import pytest

import hwarith as hw
from hwarith.exceptions import InvalidInput
from hwarith.explore.judged import random_operands
from hwarith.explore.metrics import evaluate
from hwarith.explore.outcomes import reference_of
from hwarith.explore.reference import Errors, check_measurable, compare
from hwarith.units.anfma.state import State
from hwarith.units.bitserial.weights import special_codes
from hwarith.units.chain import chain_of_one
from tests.small_units import EXACT, OF_EACH_FAMILY, SPECS


def codes(f: str, values: Any) -> np.ndarray:
    return hw.format(f).encode(np.array(values, float))


def errors(spec: str, *operands: Any) -> tuple[Errors, dict[str, int]]:
    return compare(hw.unit(spec), [np.asarray(x) for x in operands])


def held(found: Errors, exact: list[F], results: list[F], ulps: list[F]) -> None:
    assert found.exact.tolist() == [float(x) for x in exact]
    assert found.distance.tolist() == [float(y - x) for x, y in zip(exact, results, strict=True)]
    assert found.ulp.tolist() == [float(x) for x in ulps]


def test_a_quantizer_errs_against_its_numbers() -> None:
    """mxfp4: the scale of 7 is 2, so that elements are 3.5 -> 4 and 0.6 -> 0.5."""
    x = codes("bf16", [7, 1.1875])
    found, counts = errors("blockquant:out=mxfp4,a=bf16,n=2", x)
    held(found, [F(7), F(19, 16)], [F(8), F(1)], [F(2), F(1)])
    assert counts["counted"] == counts["operand_sets"] == 2
    clipped, _ = errors("blockquant:out=mxfp4,a=bf16,n=2,rule=floor", codes("bf16", [7, 1.1875]))
    held(clipped, [F(7), F(19, 16)], [F(6), F(1)], [F(2), F(1, 2)])


def test_a_block_with_an_infinity_does_not_count() -> None:
    x = codes("bf16", [[7, 1], [np.inf, 1]])
    _, counts = errors("blockquant:out=mxfp4,a=bf16,n=2", x)
    assert (counts["nonfinite_operands"], counts["counted"]) == (2, 2)


def test_a_normalized_row_errs_against_real_numbers() -> None:
    """The mean of 1, 1 and 7 is 3, their variance 8; in e3m2 2/sqrt(8) is 0.625 or 0.75."""
    ones, zeros = codes("e3m2", [1, 1, 1]), codes("e3m2", [0, 0, 0])
    found, counts = errors(
        "layernorm:a=e3m2,acc=fp32,length=3,eps=0", codes("e3m2", [1, 1, 7]), ones, zeros
    )
    assert np.allclose(found.exact, np.array([-2, -2, 4]) / 8**0.5, rtol=1e-15)
    assert np.allclose(found.exact + found.distance, [-0.75, -0.75, 1.5], rtol=1e-15)
    assert counts["counted"] == counts["operand_sets"] == 3
    found, _ = errors("rmsnorm:a=e3m2,acc=fp32,length=3,eps=0", codes("e3m2", [3, 3, 3]), ones)
    assert (found.exact.tolist(), found.distance.tolist()) == ([1, 1, 1], [0, 0, 0])


def test_a_softmax_errs_against_real_numbers() -> None:
    found, counts = errors("softmax:a=fp16,out=bf16", codes("fp16", [1, 2, 0.5]))
    exact = np.exp([1, 2, 0.5]) / np.exp([1, 2, 0.5]).sum()
    assert np.allclose(found.exact, exact, rtol=1e-15)
    assert (np.abs(found.distance) < found.ulp).all()
    assert counts["counted"] == counts["operand_sets"] == 3


def test_nvfp4_counts_units_of_both_scales() -> None:
    """The scale of 7.5 with t=2^-1 is 7.5 / 6 * 2 = 2.5, a code; elements are 6 and 1.5 -> 0.8."""
    t = np.array([126], np.uint8)
    found, _ = errors("nvfp4quant:n=2", codes("bf16", [[7.5, 1]]), t)
    unit = F(5, 4)
    held(found, [F(15, 2), F(1)], [6 * unit, unit], [2 * unit, F(1, 2) * unit])
    _, counts = errors("nvfp4quant:n=2", codes("bf16", [[2000, 1]]), t)
    assert (counts["out_of_range"], counts["counted"]) == (1, 1)  # beyond 6 * 448 / 2


def test_a_transform_errs_against_the_exact_one() -> None:
    """n=4: rows ++++ +-+- ++-- +--+ of 1, 256, 0, -3 with the last one negated, halved."""
    found, _ = errors("hadamard:n=4", codes("bf16", [1, 256, 0, -3]), 8)
    exact = [F(260, 2), F(-258, 2), F(254, 2), F(-252, 2)]
    held(found, exact, [F(130), F(-129), F(127), F(-126)], [F(1), F(1), F(1, 2), F(1, 2)])
    rounded, _ = errors("hadamard:n=2", codes("bf16", [1, 0.0009765625]), 0)
    low, high = 1 - F(1, 1024), 1 + F(1, 1024)
    held(rounded, [high, low], [F(1), F(1)], [F(1, 128), F(1, 256)])


def test_an_aligned_activation() -> None:
    """p=11 with the exponent of 4 (17): units of 2^-8, of which 1 + 2^-10 is 256.25."""
    found, counts = errors("prealign:p=11", codes("fp16", [1 + 2**-10, 4]), [17, 16])
    held(found, [1 + F(1, 1024)], [F(1)], [F(1, 256)])
    assert counts["out_of_range"] == 1  # 4 does not share the exponent 16


def test_a_decoded_power() -> None:
    """a=0.5: squares of k / 3, in units of 2^-15; -0 is 0 and -4 counts as -3."""
    found, _ = errors("powdecode:b=3,a=0.5,code=twos", [1, 2, 5, 4])
    step = F(1, 1 << 15)
    results = [F(round(F(k * k, 9) / step)) * step for k in (1, 2, 3, 3)]
    exact = [F(1, 9), F(4, 9), F(-1), F(-1)]
    signed = [results[0], results[1], -results[2], -results[3]]
    held(found, exact, signed, [step] * 4)


def test_an_integral_value_errs_against_the_operand() -> None:
    found, _ = errors("roundint:a=e4m3", codes("e4m3", [2.5, 0.75, 30]))
    held(found, [F(5, 2), F(3, 4), F(30)], [F(2), F(1), F(30)], [F(1), F(1), F(2)])


def test_the_end_of_a_column_errs_against_the_state() -> None:
    u: Any = hw.unit("anend:a=e4m3,b=e4m3,out=e4m3,w=8")
    fields = np.array([[0, 1, 0], [2, 2, -9], [0b1001_1000, 255, 0b0001_0000], [0, 0, 0]])
    found, counts = compare(u, [u.pack_state(State(*fields))])
    # 1.1875 * 4 is halfway between 4.5 and 5; 255 / 32 rounds to 8; 2^-12 becomes zero
    held(
        found,
        [F(19, 4), F(-255, 32), F(1, 1 << 12)],
        [F(5), F(-8), F(0)],
        [F(1, 2), F(1, 2), F(1, 512)],
    )
    assert counts["underflowed"] == 1


def test_states_beyond_the_range_and_with_flags_do_not_count() -> None:
    """256 is too large for e4m3; a flag of NaN is no number."""
    u: Any = hw.unit("anend:a=e4m3,b=e4m3,out=e4m3,w=8")
    fields = np.array([[0, 0, 0], [8, 0, 0], [128, 128, 128], [0, 1, 0]])
    _, counts = compare(u, [u.pack_state(State(*fields))])
    assert (counts["out_of_range"], counts["nonfinite_operands"], counts["counted"]) == (1, 1, 1)


def test_a_sum_that_overflows_has_no_result() -> None:
    u = hw.unit("bspe:type=int4,lanes=1")
    reference = reference_of(u)
    assert reference
    for overflow, result in ((0, F(5 << 35)), (1, None)):
        (found,) = reference.outcomes([[0x3C00], [1], [0]], [5, 63, 0, 0, overflow]) or ()
        assert (found.exact, found.result) == (1, result)


def test_the_beginning_of_a_column_cuts_what_is_too_wide() -> None:
    """w=8 holds 1 + 2^-7, but not the 2^-10 behind it; a subnormal is zero."""
    a = codes("fp16", [1 + 2**-7 + 2**-10, 2**-24])
    found, _ = errors("anseed:a=e4m3,b=e4m3,seed=fp16,w=8", a)
    exact = [1 + F(1, 128) + F(1, 1024), F(1, 1 << 24)]
    held(found, exact, [1 + F(1, 128), F(0)], [F(1, 128), F(1, 1 << 21)])


def test_words_of_elements() -> None:
    """Mode 2: eight e2m1fn; mode 0: four integers of weight 2^-6; 1 + 2^-24 is a tie."""
    a = [0x0000_0077, 0x0000_0001]  # 6, 6; 1/64
    b = [0x0000_0021, 0x0000_0001]  # 0.5, 1
    c = codes("fp32", [2.0**24, 1])
    found, _ = errors("dotmulti", np.array(a), np.array(b), c, [2, 0])
    exact = [F(1 << 24) + 9, 1 + F(1, 1 << 12)]
    held(found, exact, [F((1 << 24) + 8), exact[1]], [F(2), F(1, 1 << 23)])


def test_a_matrix_product() -> None:
    """Sums in e4m3 (four bits): 1 + 16 is 16, and 16 + 1 again; exactly it is 18."""
    spec = "engine:pe=(fma:a=e4m3,c=e4m3,out=e4m3),rows=2,columns=1"
    a, b, c = codes("e4m3", [[16, 1]]), codes("e4m3", [[1], [1]]), codes("e4m3", [[1]])
    found, _ = errors(spec, a, b, c)
    held(found, [F(18)], [F(16)], [F(2)])
    minus, _ = errors(spec.replace("out=e4m3", "out=e4m3,op=msub"), a, b, c)
    held(minus, [F(1) - (F(16) - F(1))], [F(1) - F(15)], [F(1)])


def test_a_matrix_product_of_blocks_with_scales() -> None:
    pe = "dot:a=e2m1fn,n=2,scale=ue4m3,block=1,c=fp32,out=fp32"
    a, b = codes("e2m1fn", [[1.5, 2]]), codes("e2m1fn", [[3], [0.5]])
    sa, sb = codes("ue4m3", [[2, 4]]), codes("ue4m3", [[0.5], [8]])
    c = codes("fp32", [[0.25]])
    found, _ = errors(f"engine:pe=({pe}),rows=1,columns=1", a, b, sa, sb, c)
    exact = F(3, 2) * 3 * 1 + 2 * F(1, 2) * 32 + F(1, 4)
    held(found, [exact], [exact], [F(1, 1 << 18)])


def test_terms_of_weights() -> None:
    """int4: 2048 times 7 and 2^-14 times 1, of which alignment leaves nothing; fp4 is halved."""
    acts, found = codes("fp16", [[2048, 2.0**-14]]), {}
    for kind, weights in (("int4", [[7, 1]]), ("fp4", [[7, 2]])):
        u: Any = hw.unit(f"bspe:type={kind},lanes=2")
        found[kind], _ = compare(u, u.steps(acts, weights))
        assert u.aw == 23
    tiny = F(1, 1 << 14)
    held(found["int4"], [2048 * 7 + tiny], [F(2048 * 7)], [F(1 << 13, 1 << 22)])
    held(found["fp4"], [2048 * 6 + tiny], [F(2048 * 6)], [F(1 << 13, 1 << 22)])


def test_a_dequantized_sum() -> None:
    """A magnitude of 23 bits times 3, of which 4 bits are multiplied: 17 units are 16."""
    u: Any = hw.unit("bsdequant:dqm=4")
    acc = 17 | 28 << u.aw  # 17 units of 2^(28 - 25 - 3)
    found, _ = compare(u, [np.array([acc]), np.array([3]), np.array([0])])
    held(found, [F(51)], [F(48)], [F(3 * 2)])


def test_a_tile_of_weights_with_scales() -> None:
    """fp4 codes of 3 and of the special value 5, times scales 2 and 10."""
    u: Any = hw.unit("bstile:pe=(bspe:type=fp4,lanes=2),rows=1,columns=1")
    a = codes("fp16", [[1 + 2**-10, 0, 0.5, 0]])
    w = np.array([[5, 0, 8, 0]])
    scale, special = np.array([[2, 10]]), special_codes([[10, 10]])
    exact = (1 + F(1, 1024)) * 3 * 2 + F(1, 2) * 5 * 10
    found, _ = compare(u, [a, w, scale, special])
    held(found, [exact], [exact], [F(1, 1 << 19)])


def test_every_family_has_errors_or_none_by_contract() -> None:
    for family, spec in OF_EACH_FAMILY.items():
        u = chain_of_one(hw.unit(spec))
        if family in EXACT:
            with pytest.raises(InvalidInput, match=f"^{family}: exact( integer)? by contract$"):
                check_measurable(u)
        else:
            check_measurable(u)


@pytest.mark.parametrize(
    "spec",
    [
        *(spec for spec in SPECS if reference_of(hw.unit(spec))),
        "dotmulti",
        "bspe",
        "bspe:type=int8",
        "bstile:pe=(bspe:type=int8,lanes=2),rows=1,columns=2",
    ],
)
def test_random_operands_are_those_of_a_call(spec: str) -> None:
    u = hw.unit(spec)
    reference = reference_of(u)
    assert reference
    sets = list(reference.sets(random_operands(u, 256)))
    assert all(outcomes and len(outcomes) == size for size, outcomes in sets)
    outcomes = [o for _, some in sets for o in some or ()]
    assert len({o.exact for o in outcomes}) > min(4, len(outcomes) - 1)
    assert sum(o.exact is None or o.result is None for o in outcomes) < 0.1 * len(outcomes)


def test_random_bits_are_uniform() -> None:
    """The mean of what is rounded at random is that of the numbers."""
    u = hw.unit("blockquant:out=mxfp4,a=bf16,n=32,round=sra")
    x, bits = random_operands(u, 1 << 13)
    evaluation = evaluate(u, [x & 0x7FFF, bits])
    bias, noise = evaluation.metrics["mean_error"], evaluation.deviations["mean_error"]
    assert abs(bias or 0) < 4 * noise
