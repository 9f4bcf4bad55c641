"""AdaGrad."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import sqrt
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, rule
from thalweg.transforms.decay import COUPLED

__all__ = ["Adagrad"]


@rule(states={"s": "sum"})
def adagrad(p, g, s, *, t, lr_decay, eps):  # type: ignore[no-untyped-def]
    """Duchi, Hazan & Singer 2011, the diagonal form."""
    s = s + g * g
    return (1 / (1 + (t - 1) * lr_decay)) * g / (sqrt(s) + eps), s


class Adagrad(Optimizer):
    r"""AdaGrad: each parameter's rate falls with the sum of its squared gradients.

    .. math::
        s_t &= s_{t-1} + g_t^2 \\
        θ_t &= θ_{t-1} - \frac{η}{1 + (t - 1) κ} \frac{g_t}{\sqrt{s_t} + ε}

    where κ is `lr_decay`. Rarely active features keep a large rate; in long training all rates fall towards
    zero and it stalls. For √(s + ε), as the second source document writes it, give ε as
    `initial_accumulator_value` and 0 as `eps`. s has the shape of its parameter. Source: Duchi, Hazan &
    Singer 2011, Journal of Machine Learning Research 12, figure 1 (diagonal matrices).

    Args:
        params: parameters, named parameters or groups.
        lr: η, the learning rate.
        lr_decay: κ, a further decay with the step number t.
        weight_decay: λ, coupled: g ← g + λθ.
        initial_accumulator_value: s₀.
        eps: ε, added to the denominator.
        foreach: accepted as in torch; the engine decides how tensors are batched.
        maximize: climb instead of descend.
        differentiable: run the reference engine within autograd.
        fused: accepted as in torch; the engine decides.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval.
    """

    intervals: ClassVar[Mapping[str, str]] = {
        "lr": "[0, inf)",
        "lr_decay": "[0, inf)",
        "weight_decay": "[0, inf)",
        "initial_accumulator_value": "[0, inf)",
        "eps": "[0, inf)",
    }

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """AdaGrad with coupled decay."""
        return adagrad, (COUPLED,)

    def states_of(self, group: Mapping[str, Any], p: Tensor) -> dict[str, Any]:
        """The sum starts at `initial_accumulator_value`."""
        state = super().states_of(group, p)
        state["sum"].fill_(group["initial_accumulator_value"])
        return state

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; torch's AdaGrad has its state from the start, and so has this one."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for p in group["params"]:
            self.state[p] = self.states_of(group, p)

    def share_memory(self) -> None:
        """Put the sums in shared memory, as torch's AdaGrad can, for processes that train one model."""
        for state in self.state.values():
            state["sum"].share_memory_()
