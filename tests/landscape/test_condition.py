"""Condition numbers of textbook problems, in closed form."""

import json

import pytest
import torch
from torch import nn

from tests.landscape.known import NETWORKS, quadratic, rotated
from thalweg.errors import UserError
from thalweg.landscape import Surface, condition, eigenpairs, function, saddle


def regression(samples: int, features: int) -> tuple[Surface, torch.Tensor]:
    """Half the mean squared error of a linear model, whose Hessian is XᵀX/n."""
    inputs = torch.randn(samples, features, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    model = nn.Linear(features, 1, bias=False).double()
    surface = Surface(model, lambda model, x: (model(x) - 1).square().mean() / 2, inputs)
    return surface, inputs.T @ inputs / samples


def test_the_ravine() -> None:
    found = condition(function(lambda x, y: x**2 + 50 * y**2, (3.0, 1.0)), l2=[0.0, 2.0, 98.0])
    assert found.number == pytest.approx(50)
    assert (found.largest, found.smallest) == (pytest.approx(100), pytest.approx(2))
    assert found.positive_only
    assert [number for _, number in found.with_l2] == pytest.approx([50, 102 / 4, 198 / 100])
    assert "needs about 25 steps" in found.describe()
    assert "25.5 with λ = 2" in found.describe()


def test_linear_regression() -> None:
    surface, hessian = regression(40, 7)
    eigenvalues = torch.linalg.eigvalsh(hessian)
    found = condition(surface)
    assert found.number == pytest.approx(float(eigenvalues[-1] / eigenvalues[0]), rel=1e-9)
    low, high = float(eigenvalues[0]), float(eigenvalues[-1])
    assert [number for _, number in found.with_l2] == pytest.approx(
        [(high + strength) / (low + strength) for strength in (1e-4, 1e-3, 1e-2)]
    )


def test_more_weights_than_data() -> None:
    surface, hessian = regression(5, 9)
    found = condition(surface, l2=[0.5])
    assert found.number is None
    assert found.positive_only is None
    high = float(torch.linalg.eigvalsh(hessian)[-1])
    assert found.with_l2[0][1] == pytest.approx((high + 0.5) / 0.5)
    assert "zero within its residual" in found.describe()
    assert "with λ = 0.5" in found.describe()


def test_logistic_regression() -> None:
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(50, 4, generator=generator, dtype=torch.float64) * torch.tensor([1, 2, 5, 9])
    labels = (torch.rand(50, 1, generator=generator) < 0.5).double()
    model = nn.Linear(4, 1, bias=False).double()
    nn.init.constant_(model.weight, 0.05)
    loss = nn.functional.binary_cross_entropy_with_logits
    found = condition(Surface(model, lambda model, b: loss(model(b[0]), b[1]), (inputs, labels)))
    p = torch.sigmoid(inputs @ model.weight.detach().T)
    eigenvalues = torch.linalg.eigvalsh(inputs.T @ (p * (1 - p) * inputs) / 50)
    assert found.number == pytest.approx(float(eigenvalues[-1] / eigenvalues[0]), rel=1e-9)


def test_a_saddle_has_no_number_until_the_penalty_lifts_it() -> None:
    found = condition(function(lambda x, y: x**2 - y**2, (0.0, 0.0)), l2=[1.0, 2.0, 6.0])
    assert found.number is None
    assert found.positive_only is False
    assert [number for _, number in found.with_l2] == [None, None, pytest.approx(2)]
    assert "curves downwards" in found.describe()


def test_networks() -> None:
    surface, hessian = NETWORKS["perceptron"]()
    found = condition(surface, l2=[1.0])
    eigenvalues = torch.linalg.eigvalsh(hessian)
    assert found.largest == pytest.approx(float(eigenvalues[-1]), rel=1e-9)
    assert found.smallest == pytest.approx(float(eigenvalues[0]), rel=1e-9)
    assert found.number is None
    assert found.with_l2[0][1] == pytest.approx(float((eigenvalues[-1] + 1) / (eigenvalues[0] + 1)), rel=1e-9)


def test_lanczos_where_the_hessian_is_large() -> None:
    spectrum = torch.linspace(1, 20, 600, dtype=torch.float64)
    found = condition(quadratic(torch.diag(spectrum)))
    assert found.residual > 1e-6
    assert found.number == pytest.approx(20, rel=0.01)


def test_a_smallest_curvature_that_is_not_sharp_enough_gives_no_number() -> None:
    """λ_min = 1e-3 beside 1: Lanczos with residuals of 1e-4 at best does not tell it to a tenth."""
    spectrum = torch.linspace(1e-3, 1, 600, dtype=torch.float64)
    surface = quadratic(torch.diag(spectrum))
    found = condition(surface, l2=[0.1])
    assert found.number is None
    assert found.positive_only in (True, None)
    assert "known only to" in found.describe() or "zero within" in found.describe()
    assert found.with_l2[0][1] == pytest.approx(1.1 / 0.101, rel=0.02)
    unfinished = eigenpairs(surface, k=1, which="both", max_products=4)
    assert not unfinished.converged
    nothing = condition(surface, pairs=unfinished)
    assert (nothing.number, nothing.largest, nothing.positive_only) == (None, None, None)
    assert "did not converge" in nothing.describe()


def test_pairs_that_are_there_are_used() -> None:
    spectrum = torch.linspace(1, 20, 600, dtype=torch.float64)
    surface = quadratic(torch.diag(spectrum))
    pairs = eigenpairs(surface, k=2, which="both", tolerance=1e-3)
    found = condition(surface, pairs=pairs)
    assert found.largest == float(pairs.values[-1])
    assert found.number == pytest.approx(20, rel=1e-3)


def test_infinite_curvature_gives_no_number() -> None:
    found = condition(function(lambda x, y: x.abs() ** 1.5 + y**2, (0.0, 0.0)))
    assert (found.number, found.largest) == (None, None)
    assert all(number is None for _, number in found.with_l2)


def test_dictionary() -> None:
    found = condition(function(lambda x, y: x**2 + 50 * y**2, (3.0, 1.0)), l2=[2.0])
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["number"] == pytest.approx(50)
    assert plain["with_l2"] == [[2.0, pytest.approx(25.5)]]


def test_refusals() -> None:
    surface = quadratic(rotated([1.0, 2.0, 3.0]))
    with pytest.raises(UserError, match="condition: l2 must be a number in"):
        condition(surface, l2=[-1.0])
    with pytest.raises(UserError, match="condition: l2 is a list of strengths"):
        condition(surface, l2=0.1)
    with pytest.raises(UserError, match='these are "largest", with vectors of 3 coordinates for 3'):
        condition(surface, pairs=eigenpairs(surface, k=1, which="largest"))
    with pytest.raises(UserError, match="vectors of 3 coordinates for 2"):
        condition(quadratic(rotated([1.0, 2.0])), pairs=eigenpairs(surface, k=1, which="both"))


def test_a_model_without_a_second_derivative_has_one_by_differences() -> None:
    """Weight norm, whose second derivative in torch is wrong: |v|² of w = g v / |v| is a flat direction."""
    torch.manual_seed(0)
    layer, x = nn.Linear(2, 1, bias=False).double(), torch.randn(30, 2).double()
    normed = torch.nn.utils.parametrizations.weight_norm(layer)
    surface = Surface(normed, lambda model, x: model(x).square().mean(), x)
    with pytest.raises(UserError, match="weight_norm is wrong; use the product 'difference'"):
        condition(surface)
    found = condition(surface, product="difference")
    assert found.number is None
    assert saddle(surface, product="difference").kind == "slope"
    g, v = (p.detach() for p in surface.parameters)
    moment = 2 * x.T @ x / 30

    def loss(flat: torch.Tensor) -> torch.Tensor:
        w = flat[0] * flat[1:] / flat[1:].norm()
        return w @ moment @ w / 2

    true = torch.linalg.eigvalsh(torch.func.hessian(loss)(torch.cat([g.flatten(), v.flatten()])))
    assert found.largest == pytest.approx(float(true[-1]), rel=1e-5)
    assert found.smallest == pytest.approx(float(true[0]), rel=1e-5)
