"""Every method on real images: softmax regression with an l2 penalty, whose minimum scipy finds too."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import logsumexp
from torch import nn
from torch.nn import functional

from thalweg import optim, tasks

L2 = 0.02
IMAGES = 300


def images():
    x, y = tasks.load("fashion-linear").train
    small = functional.avg_pool2d(x[:IMAGES].double().reshape(IMAGES, 1, 28, 28), 4).flatten(1)
    return small - small.mean(0), y[:IMAGES]


@pytest.fixture(scope="module")
def problem():
    """The images and the least loss, found by scipy from the formulas of softmax regression in numpy."""
    data, labels = images()
    x, hot = np.c_[data.numpy(), np.ones(IMAGES)], np.eye(10)[labels.numpy()]

    def value_and_slope(flat):
        w = flat.reshape(50, 10)
        scores = x @ w
        log = scores - logsumexp(scores, axis=1, keepdims=True)
        f = -(hot * log).sum() / IMAGES + L2 / 2 * (w**2).sum()
        return f, (x.T @ (np.exp(log) - hot) / IMAGES + L2 * w).ravel()

    options = {"ftol": 0, "gtol": 1e-10, "maxiter": 5000, "maxfun": 5000}
    found = minimize(value_and_slope, np.zeros(500), jac=True, method="L-BFGS-B", options=options)
    return data, labels, found.fun


HOW = {  # options, steps, and how far above the least loss it ends
    "GradientDescent": ({"line_search_fn": "armijo", "lr": 4.0}, 40, 1e-3),
    "RandomSearch": ({"lr": 0.02}, 60, 0.6),  # no method of choice
    "CoordinateDescent": ({"max_eval": 2000}, 4, 0.12),  # neighbouring pixels are coupled: it creeps
    "Newton": ({}, 10, 1e-10),
    "NewtonCG": ({}, 20, 1e-10),
    "BFGS": ({}, 8, 1e-6),
    "LBFGS": ({"line_search_fn": "strong_wolfe"}, 8, 1e-6),
}


@pytest.mark.parametrize("name", HOW)
def test_it_trains_softmax_regression_to_the_minimum_that_scipy_finds(problem, name):
    data, labels, least = problem
    options, steps, gap = HOW[name]
    model = nn.Linear(49, 10, dtype=torch.float64)
    for p in model.parameters():
        nn.init.zeros_(p)
    optimizer = getattr(optim, name)(model.parameters(), **options)

    def closure():
        optimizer.zero_grad()
        penalty = sum(p.square().sum() for p in model.parameters())
        loss = functional.cross_entropy(model(data), labels) + L2 / 2 * penalty
        loss.backward()
        return loss

    first = optimizer.step(closure).item()
    for _ in range(steps - 1):
        optimizer.step(closure)
    assert first == pytest.approx(np.log(10))
    assert -1e-10 < closure().item() - least < gap
