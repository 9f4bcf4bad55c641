"""Mistakes made on purpose: for each, a test of the method goes red."""

import contextlib
import math

import pytest
import torch

from tests.optim.full_batch import (
    test_bfgs,
    test_coordinate_descent,
    test_curvature,
    test_gradient_descent,
    test_lbfgs,
    test_newton,
    test_random_search,
    test_trust_region,
)
from thalweg.optim.full_batch import (
    bfgs,
    coordinate_descent,
    gradient_descent,
    lbfgs,
    line_search,
    newton,
    newton_cg,
    objective,
    random_search,
    trust_region,
)
from thalweg.optim.full_batch.objective import Objective

add, solve, steihaug, updated = lbfgs._Pairs.add, trust_region.solve, trust_region.steihaug, bfgs.updated


def wolfe_twin():
    test_lbfgs.test_the_trajectory_and_the_state_are_those_of_torch("rosenbrock", test_lbfgs.AMPLE)


def limits():
    test_lbfgs.test_the_limit_of_evaluations_holds_and_torch_s_does_not("strong_wolfe", 5)


def lasso():
    test_coordinate_descent.test_the_lasso_satisfies_its_optimality_conditions(0.6, "cyclic")


def saddle():
    test_newton.test_a_trust_region_leaves_a_saddle_and_the_pure_step_does_not([0.0, 0.0])


MUTANTS = {
    "pairs of negative curvature": (lbfgs._Pairs, "add", lambda self, y, s: add(self, -y, s), wolfe_twin),
    "the oldest pair is never dropped": (
        lbfgs._Pairs,
        "add",
        lambda self, y, s: add(setattr(self, "size", 99) or self, y, s),
        lambda: test_lbfgs.test_the_size_of_the_history_may_change(3),
    ),
    "no interpolation": (line_search, "_cubic", lambda a, b, low, high: (low + high) / 2, wolfe_twin),
    "no limit": (Objective, "left", property(lambda self: math.inf), limits),
    "a trial that is not finite is taken": (
        line_search.Trial,
        "finite",
        True,
        lambda: test_lbfgs.test_a_loss_that_is_not_a_number_is_not_accepted(lbfgs.LBFGS),
    ),
    "any decrease of the model will do": (
        newton,
        "accepted",
        lambda ratio: True,
        lambda: test_newton.test_a_step_that_the_model_got_wrong_is_not_taken(newton.Newton),
    ),
    "the radius stays": (
        newton,
        "resized",
        lambda radius, *_: radius,
        test_newton.test_the_radius_is_kept_from_step_to_step,
    ),
    "the middle of a saddle is no hard case": (
        newton,
        "solve",
        lambda values, c, radius: solve(values.abs(), c, radius),
        saddle,
    ),
    "no radius": (
        newton_cg,
        "steihaug",
        lambda g, product, radius, most: steihaug(g, product, 1e9, most),
        test_newton.test_the_iterates_of_newton_cg_are_those_of_scipy_s_trust_region,
    ),
    "one end of the boundary only": (
        trust_region,
        "_to_boundary",
        lambda z, d, radius: (0.0, 0.0),
        lambda: test_trust_region.test_conjugate_gradients_do_as_scipy_s([-1.0, 2.0, 30.0, 31.0], 0.5),
    ),
    "an update of the other sign": (
        test_bfgs,
        "updated",
        lambda b, s, y, bs, damped: updated(b, -s, y, bs, damped),
        lambda: test_bfgs.test_the_update_is_the_textbook_s(0),
    ),
    "less damping": (
        bfgs,
        "DAMPING",
        0.1,
        lambda: test_bfgs.test_a_pair_without_positive_curvature_is_skipped_or_damped(-1.0),
    ),
    "no threshold": (coordinate_descent, "soft", lambda z, threshold: z, lasso),
    "a threshold that jumps": (
        coordinate_descent,
        "soft",
        lambda z, threshold: 0.0 if abs(z) <= threshold else z,
        lasso,
    ),
    "the graph is not kept": (
        objective,
        "KeepGraph",
        contextlib.nullcontext,
        lambda: test_curvature.test_the_closure_may_call_backward_or_not(newton.Newton),
    ),
    "the first step that decreases": (
        gradient_descent,
        "backtrack",
        lambda value, f, slope, t, *, left, slack: t,
        lambda: test_gradient_descent.test_backtracking_is_the_textbook_s(64.0),
    ),
    "every step draws alike": (
        random_search,
        "generator",
        lambda seed, number: torch.Generator().manual_seed(seed),
        test_random_search.test_seeds_and_steps_draw_other_numbers_and_the_same_again,
    ),
}


@pytest.mark.parametrize("mistake", MUTANTS)
def test_the_mistake_is_seen(mistake, monkeypatch):
    owner, name, wrong, check = MUTANTS[mistake]
    check()
    monkeypatch.setattr(owner, name, wrong)
    with pytest.raises((AssertionError, ArithmeticError, RuntimeError, ValueError, pytest.fail.Exception)):
        check()
