"""A learned optimizer: a small network, the same for every element, that was trained to train."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from thalweg.engine.ops import absolute, maximum, minimum, sqrt
from thalweg.engine.optimizer import Optimizer
from thalweg.engine.plan import Transform
from thalweg.engine.rule import Rule, formula, rule
from thalweg.errors import UserError
from thalweg.optim.sgd import gradient
from thalweg.transforms.clip import square
from thalweg.transforms.decay import DECOUPLED
from thalweg.transforms.trust import parameter_squared

__all__ = ["Learned"]


@formula
def momentum_squared(p, g, m):  # type: ignore[no-untyped-def]
    """Summed over a tensor: the squared norm of the average gradient."""
    return m * m


@formula
def alignment(p, g, m):  # type: ignore[no-untyped-def]
    """Summed over a tensor: the inner product of the gradient with the average of those before."""
    return g * m


@formula
def unit(p, g):  # type: ignore[no-untyped-def]
    """Summed over a tensor: how many elements it has."""
    return p - p + 1


# Weights are named by what they weigh and by the hidden unit: fast1 weighs `fast` in unit 1, and rate2 weighs
# unit 2 in the rate; bias1 and rate0 stand alone.
@rule(
    states={"m": "exp_avg", "s": "exp_avg_slow", "v": "exp_avg_sq"},
    sums={"p2": parameter_squared, "g2": square, "m2": momentum_squared, "gm": alignment, "count": unit},
    over="tensor",
)
def network(  # type: ignore[no-untyped-def]
    p, g, m, s, v, *, t, p2, g2, m2, gm, count, beta1, beta2, beta3,
    fast1, slow1, turn1, odd1, size1, agree1, early1, late1, bias1,
    fast2, slow2, turn2, odd2, size2, agree2, early2, late2, bias2,
    fast3, slow3, turn3, odd3, size3, agree3, early3, late3, bias3,
    fast4, slow4, turn4, odd4, size4, agree4, early4, late4, bias4,
    rate0, rate1, rate2, rate3, rate4,
    now0, now1, now2, now3, now4,
    past0, past1, past2, past3, past4,
):  # fmt: skip
    """Averages of the gradient in units of its size; features; four hidden units; a rate and a direction."""
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * g
    v = beta3 * v + (1 - beta3) * g * g
    scale = 1 / (sqrt(v / (1 - beta3**t)) + 1e-8)
    x = g * scale
    y = m / (1 - beta1**t) * scale
    z = s / (1 - beta2**t) * scale

    length = sqrt(p2 / maximum(count, 1))
    size = length / (length + 0.05)
    agree = gm / (sqrt(g2) * sqrt(m2) + 1e-30)
    early = 1 / t**0.5
    late = t / (t + 100)
    fast = absolute(y)
    slow = absolute(z)
    turn = absolute(y - z)
    odd = absolute(x - y)
    h1 = early * early1 + late * late1 + bias1 + agree * agree1 + size * size1 + fast * fast1 + slow * slow1
    h1 = maximum(h1 + turn * turn1 + odd * odd1, 0)
    h2 = early * early2 + late * late2 + bias2 + agree * agree2 + size * size2 + fast * fast2 + slow * slow2
    h2 = maximum(h2 + turn * turn2 + odd * odd2, 0)
    h3 = early * early3 + late * late3 + bias3 + agree * agree3 + size * size3 + fast * fast3 + slow * slow3
    h3 = maximum(h3 + turn * turn3 + odd * odd3, 0)
    h4 = early * early4 + late * late4 + bias4 + agree * agree4 + size * size4 + fast * fast4 + slow * slow4
    h4 = maximum(h4 + turn * turn4 + odd * odd4, 0)

    now = now0 + h1 * now1 + h2 * now2 + h3 * now3 + h4 * now4
    past = past0 + h1 * past1 + h2 * past2 + h3 * past3 + h4 * past4
    rate = rate0 + h1 * rate1 + h2 * rate2 + h3 * rate3 + h4 * rate4
    rate = minimum(maximum(rate, 0), 1.5)
    rate = rate * rate
    rate = rate * rate
    return 0.01 * rate * rate * (y + now * x + past * z), m, s, v


_FILE = Path(__file__).with_suffix(".json")
WEIGHTS: Mapping[str, float] = json.loads(_FILE.read_text(encoding="utf-8"))
VERSION = hashlib.sha256(json.dumps(WEIGHTS, sort_keys=True).encode()).hexdigest()[:8]
_NETWORK = Transform(network, on="step", options=WEIGHTS)


class Learned(Optimizer):
    r"""A learned optimizer: a small network moves each element; its weights were trained to train.

    Of each element the network sees the gradient and two averages, divided by the gradient's usual size:

    .. math::
        m_t &= β_1 m_{t-1} + (1 - β_1) g_t, \quad s_t = β_2 s_{t-1} + (1 - β_2) g_t, \quad
        v_t = β_3 v_{t-1} + (1 - β_3) g_t^2 \\
        (x, y, z) &= \left( g_t, \frac{m_t}{1 - β_1^t}, \frac{s_t}{1 - β_2^t} \right)
        \Big/ \left( \sqrt{\frac{v_t}{1 - β_3^t}} + 10^{-8} \right)

    and of the tensor it sees ρ, the root mean square of its elements, and c, the cosine between g_t and
    m_{t-1}. Eight features f feed four rectified units, which give the rate and the mixture of the three:

    .. math::
        f &= \left( |y|, |z|, |y - z|, |x - y|,
        \frac{ρ}{ρ + 0.05}, c, \frac{1}{\sqrt t}, \frac{t}{t + 100} \right) \\
        h &= \max(W f + b, 0), \qquad (r, a, d) = U h + u \\
        θ_t &= θ_{t-1} - η \left( 0.01 \min(\max(r, 0), 1.5)^8 \, (y + a x + d z) + λ θ_{t-1} \right)

    so the step does not depend on the scale of the loss, and turns around with the gradient. r⁸ stands for an
    exponential. The betas, W, b, U and u are 54 numbers that come with the package; `tools/train_learned.py`
    finds them again. m, s and v have the shape of their parameter and start at zero.

    It is for short runs without tuning, and `lr` is a factor of what the network chose: see the page on the
    learned optimizer for where it wins and where it loses. It is a small relative of those of Andrychowicz et
    al. 2016, arXiv 1606.04474 (a network for each element), and Metz et al. 2020, arXiv 2009.11243 and 2022,
    arXiv 2203.11860 (normalized momenta as features; a direction and an exponential magnitude).

    Args:
        params: parameters, named parameters or groups.
        lr: η, a factor of the learned step.
        weight_decay: λ, decoupled; since η is about 1, λ is the share of a weight that a step takes.
        maximize: climb instead of descend.
        transforms: what wraps the step; see `thalweg.transforms`.
        engine: "fused", "compiled", "reference" or None for the default of the device.

    Raises:
        UserError: an option is out of its interval, or a checkpoint was made with other weights.
    """

    intervals: ClassVar[Mapping[str, str]] = {"lr": "[0, inf)", "weight_decay": "[0, inf)"}

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        defaults = {"lr": lr, "weight_decay": weight_decay, "maximize": maximize, "network": VERSION}
        super().__init__(params, defaults, transforms, engine)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule, tuple[Transform, ...]]:
        """The network on the gradient, then decoupled decay."""
        if group["network"] != VERSION:
            raise UserError(
                f"Learned: the checkpoint belongs to the network {group['network']}, this version of thalweg "
                f"has {VERSION}; go on with the version that began the run"
            )
        return gradient, (_NETWORK, DECOUPLED)
