import math

import numpy as np
import pytest
from scipy import stats

from thalweg.race.statistics import fewest_pairs, holm, power, seeds_needed, sign_flip_p, spread, t_interval


@pytest.mark.parametrize("n", [2, 3, 10])
def test_t_interval_is_that_of_scipy_s_paired_t_test(n):
    a, b = np.random.default_rng(n).normal(size=(2, n))
    found = t_interval(a - b)
    twin = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert found.mean == pytest.approx((a - b).mean())
    assert (found.low, found.high) == pytest.approx((twin.low, twin.high))


@pytest.mark.parametrize("n", [3, 5, 10])
def test_t_interval_covers_the_mean_95_times_in_100(n):
    rng = np.random.default_rng(7)
    found = [t_interval(rng.normal(1.0, 2.0, n)) for _ in range(4000)]
    assert np.mean([i.low <= 1 <= i.high for i in found]) == pytest.approx(0.95, abs=0.012)


def test_one_value_has_an_endless_interval():
    found = t_interval([0.5])
    assert (found.mean, found.low, found.high) == (0.5, -math.inf, math.inf)
    assert math.isnan(spread([0.5]))


@pytest.mark.parametrize("n", [2, 6, 9])
def test_sign_flip_is_scipy_s_exact_permutation_test(n):
    d = np.random.default_rng(n).normal(0.4, 1, n)
    twin = stats.permutation_test((d, np.zeros(n)), lambda x, y: (x - y).mean(), permutation_type="samples")
    assert sign_flip_p(d) == pytest.approx(twin.pvalue)


@pytest.mark.parametrize(("n", "least"), [(3, 0.25), (5, 0.0625), (6, 0.03125), (16, 2 / 2**16)])
def test_the_smallest_sign_flip_p(n, least):
    assert sign_flip_p(np.arange(1.0, n + 1)) == least
    assert sign_flip_p(-np.arange(1.0, n + 1)) == least


def test_equal_sums_count_as_equal_in_spite_of_rounding():
    assert sign_flip_p([0.1, 0.2, -0.3]) == 1.0
    assert sign_flip_p([0.0] * 8) == 1.0


def test_many_pairs_are_drawn_and_agree_with_the_exact_test():
    d = np.random.default_rng(3).normal(0.3, 1, 16)
    assert sign_flip_p([*d, 0.0]) == pytest.approx(sign_flip_p(d), rel=0.05)
    assert sign_flip_p(np.ones(40)) == pytest.approx(1 / 100_001)


def test_sign_flip_is_wrong_at_most_5_times_in_100():
    rng = np.random.default_rng(11)
    wrong = [sign_flip_p(rng.standard_t(3, 8)) < 0.05 for _ in range(3000)]  # heavy tails, no normality
    assert np.mean(wrong) < 0.06


def test_holm_is_scipy_free_but_right():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(("n", "expected"), [(3, 0.17), (5, 0.41), (8, 0.67), (10, 0.80)])
def test_power_for_a_gain_of_one_sd_is_what_simulation_gave(n, expected):
    assert power(1.0, n) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize(("effect", "n"), [(0.5, 6), (0.5, 30), (1.5, 12)])
def test_power_is_the_noncentral_t(effect, n, alpha):
    c = stats.t.ppf(1 - alpha / 2, n - 1)
    assert power(effect, n, alpha) == pytest.approx(stats.nct.sf(c, n - 1, effect * math.sqrt(n)), abs=2e-3)


def test_seeds_needed_reaches_the_power_and_one_less_does_not():
    d = np.random.default_rng(5).normal(0.6, 1, 12)
    effect = abs(d.mean()) / d.std(ddof=1)
    need = seeds_needed(d)
    assert power(effect, need) >= 0.8 > power(effect, need - 1)
    assert seeds_needed(d, alpha=0.01) > need


def test_seeds_needed_at_the_limits():
    assert seeds_needed([0.5]) is None  # no idea of the noise
    assert seeds_needed([0.0, 0.0]) is None  # nothing to find
    assert seeds_needed([1.0, 1.0]) == 6  # no noise: the fewest that can show anything
    assert seeds_needed([5.0, 5.1, 5.0]) == 6
    assert seeds_needed([0.01, -1.0, 1.0]) is None  # beyond reason


def test_fewest_pairs_is_where_the_smallest_p_passes():
    for alpha in (0.05, 0.05 / 3, 0.05 / 6, 0.05 / 10):
        n = fewest_pairs(alpha)
        assert 2 / 2**n < alpha
        assert n == 6 or 2 / 2 ** (n - 1) >= alpha
