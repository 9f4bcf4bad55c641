"""Second derivatives against torch.func, closed forms and each other."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.optim.full_batch.problems import joined, parts, rosenbrock
from thalweg import optim
from thalweg.errors import UserError
from thalweg.optim.full_batch.curvature import Curvature
from thalweg.optim.full_batch.objective import KeepGraph


def test_rosenbrock_s_hessian_is_the_known_one():
    params = parts([-1.2, 1.0], [(2,)])
    curvature = Curvature("Newton", rosenbrock(joined(params)), params)
    np.testing.assert_allclose(curvature.gradient, [-215.6, -88.0])
    np.testing.assert_allclose(curvature.hessian(), [[1330.0, 480.0], [480.0, 200.0]])
    np.testing.assert_allclose(curvature.product(torch.tensor([1.0, 2.0]).double()), [2290.0, 880.0])
    assert curvature.products == 3


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.GRU(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.out(self.cell(x)[0]).sum(1)


MODELS = {
    "tanh": (lambda: nn.Sequential(nn.Linear(3, 9), nn.Tanh(), nn.Linear(9, 5)), (6, 3)),  # more than ROWS
    "conv": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.GELU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2)),
        (4, 1, 6, 6),
    ),
    "group norm": (lambda: nn.Sequential(nn.Linear(3, 4), nn.GroupNorm(2, 4), nn.SiLU()), (5, 3)),
    "recurrent": (Recurrent, (4, 3, 3)),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_hessian_of_a_model_is_that_of_torch_func(name):
    make, shape = MODELS[name]
    torch.manual_seed(0)
    model = make().double()
    x = torch.randn(shape, dtype=torch.float64)
    params = dict(model.named_parameters())

    def loss_of(values):
        out = torch.func.functional_call(model, values, (x,))
        return functional.cross_entropy(out, torch.zeros(len(x), dtype=torch.long)) + out.square().mean()

    curvature = Curvature("Newton", loss_of(params), list(params.values()))
    hessian = curvature.hessian()
    sizes = [p.numel() for p in params.values()]
    if name != "group norm":  # whose second derivative vmap gets wrong, in torch.func as well
        theirs = torch.func.hessian(loss_of)({k: v.detach() for k, v in params.items()})
        blocks = [
            [theirs[a][b].reshape(m, n) for b, n in zip(params, sizes, strict=True)]
            for a, m in zip(params, sizes, strict=True)
        ]
        torch.testing.assert_close(hessian, torch.cat([torch.cat(row, 1) for row in blocks]))
    v = torch.randn(sum(sizes), dtype=torch.float64)
    torch.testing.assert_close(hessian @ v, curvature.product(v))
    assert torch.equal(hessian, hessian.T)


def test_parameters_that_are_frozen_unused_or_linear_have_no_curvature():
    a, b, c, d = (nn.Parameter(torch.ones(2)) for _ in range(4))
    b.requires_grad_(False)
    loss = (a**3).sum() + (b * a).sum() + 5 * d.sum()
    curvature = Curvature("Newton", loss, [a, b, c, d])
    assert torch.equal(curvature.hessian(), torch.diag(torch.tensor([6.0, 6, 0, 0, 0, 0, 0, 0])))
    assert curvature.gradient.tolist() == [4, 4, 0, 0, 0, 0, 5, 5]
    line = Curvature("Newton", 5 * d.sum(), [a, d])
    assert not line.hessian().any()
    assert not line.product(torch.ones(4)).any()


@pytest.mark.parametrize("cls", [optim.Newton, optim.NewtonCG])
def test_the_closure_may_call_backward_or_not(cls):
    found = []
    for backward in (True, False, "with arguments"):
        params = parts([-1.2, 1.0], [(2,)])
        optimizer = cls(params)

        def closure(optimizer=optimizer, params=params, backward=backward):
            optimizer.zero_grad()
            loss = rosenbrock(joined(params))
            if backward == "with arguments":
                loss.backward(torch.ones_like(loss), False)
            elif backward:
                loss.backward()
            return loss

        for _ in range(5):
            optimizer.step(closure)
        found.append(params[0].tolist())
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("cls", [optim.Newton, optim.NewtonCG])
def test_a_loss_without_second_derivatives_is_refused(cls):
    p = nn.Parameter(torch.randn(4, 3, generator=torch.Generator().manual_seed(0)))
    optimizer = cls([p])
    q = p.detach()[None, None]
    with pytest.raises(
        UserError,
        match=rf"^{cls.__name__} differentiates the loss twice, and this cannot be: "
        "derivative for aten::_scaled_dot_product.* is not implemented; or use LBFGS$",
    ):
        optimizer.step(lambda: functional.scaled_dot_product_attention(p[None, None], q, q).square().sum())

    with pytest.raises(UserError, match=f"{cls.__name__}: the returned loss does not depend on the param"):
        optimizer.step(lambda: torch.ones(1, requires_grad=True).sum())

    def freed():
        loss = (p**3).sum()
        torch.autograd.backward(loss)
        return loss

    with pytest.raises(UserError, match=r"its graph was freed; in the closure use loss.backward\(\)"):
        optimizer.step(freed)
    with pytest.raises(FloatingPointError, match="a second derivative of the loss is infinite or NaN"):
        optimizer.step(lambda: (p + (p - p.detach()).abs().pow(1.5)).sum())
    assert torch.equal(p, q[0, 0])


def test_the_mode_leaves_other_functions_alone():
    p = nn.Parameter(torch.ones(2))
    with KeepGraph():
        loss = (p * 2).relu().sum()
        loss.backward()
        loss.backward()  # the graph is still there
    assert p.grad.tolist() == [4, 4]
