"""The priors of the optimizers whose step calls a closure: they evaluate one mini-batch several times.

Nobody has published tuning spaces for them. The learning rate is a factor on a step that the method scales
by itself (Newton's family, where 1 is natural), or where a line search starts.
"""

from __future__ import annotations

from thalweg.race.space import Choice, Prior, Range

_FACTOR = Range(3e-2, 3.0)
_OWN = "lr: a factor on the method's own step, a decade and a half below its natural 1"
_ITERATIONS = Choice((2, 5, 20))
_TRIALS = "how many iterations one mini-batch is worth is searched"

CLOSURE_PRIORS = (
    Prior(
        "gradient_descent",
        "GradientDescent",
        0.1,
        {"line_search_fn": None},
        {"lr": Range(1e-2, 5.0), "line_search_fn": Choice((None, "armijo"))},
        "lr: that of sgd; with Armijo's rule it is where each search starts",
        state=0,
        closure=True,
    ),
    Prior(
        "random_search",
        "RandomSearch",
        0.01,
        {"candidates": 10},
        {"lr": Range(1e-4, 0.1), "candidates": Choice((1, 3, 10))},
        "lr: the standard deviation of a candidate, three decades around the default",
        state=0,
        scheduled=False,
        closure=True,
        evaluations=(2, 0),
    ),
    Prior(
        "coordinate_descent",
        "CoordinateDescent",
        1.0,
        {},
        {"lr": Range(1e-1, 10.0)},
        "lr: a factor on the exact move, a decade around its natural 1",
        state=4,
        scheduled=False,
        closure=True,
        evaluations=(0, 2),
    ),
    Prior(
        "newton",
        "Newton",
        1.0,
        {"globalization": "trust_region"},
        {"lr": _FACTOR, "globalization": Choice(("trust_region", "line_search"))},
        _OWN,
        state=0,
        at_most=True,
        scheduled=False,
        closure=True,
        evaluations=(1, 2),
        matrix="its Hessian, with eigenvectors,",
        square=24,
        largest=5000,
    ),
    Prior(
        "newton_cg",
        "NewtonCG",
        1.0,
        {"globalization": "trust_region", "max_cg": 100},
        {
            "lr": _FACTOR,
            "globalization": Choice(("trust_region", "line_search")),
            "max_cg": Choice((3, 10, 30)),
        },
        f"{_OWN}; fewer products a step than the default, as the Hessian is one mini-batch's",
        state=0,
        at_most=True,
        scheduled=False,
        closure=True,
        evaluations=(3, 0),
    ),
    Prior(
        "bfgs",
        "BFGS",
        1.0,
        {"max_iter": 20},
        {"lr": _FACTOR, "max_iter": _ITERATIONS},
        f"{_OWN}; {_TRIALS}",
        state=0,
        at_most=True,
        scheduled=False,
        closure=True,
        evaluations=(2, 0),
        matrix="its inverse Hessian",
        square=4,
        largest=10_000,
    ),
    Prior(
        "lbfgs",
        "LBFGS",
        1.0,
        {"max_iter": 20, "line_search_fn": None},
        {"lr": _FACTOR, "max_iter": _ITERATIONS, "line_search_fn": Choice((None, "strong_wolfe"))},
        f"{_OWN}; {_TRIALS}; 10 pairs are kept, as 100 take longer than the gradient",
        state=100,
        fixed={"history_size": 10},
        at_most=True,
        scheduled=False,
        closure=True,
        evaluations=(2, 0),
    ),
)
