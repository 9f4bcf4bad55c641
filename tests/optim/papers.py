"""Independent transcriptions of each algorithm's paper (or of torch's documented form of it) in numpy.

They work on all parameters of a model as one vector, in float64. They know nothing of the package: each is
written from its source in plain statements. Each takes the options, the parameters, the gradient as a
function of them, the states (which it keeps) and the number of the step, and returns the new parameters.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Vector = np.ndarray
Gradient = Callable[[Vector], Vector]
Paper = Callable[[dict[str, Any], Vector, Gradient, dict[str, Vector], int], Vector]


def sgd(o, p, grad, s, t):
    g = grad(p) + o["weight_decay"] * p
    if o["momentum"] == 0:
        return p - o["lr"] * g
    if t == 1:
        s["momentum_buffer"] = g
    else:
        s["momentum_buffer"] = o["momentum"] * s["momentum_buffer"] + (1 - o["dampening"]) * g
    if o["nesterov"]:
        return p - o["lr"] * (g + o["momentum"] * s["momentum_buffer"])
    return p - o["lr"] * s["momentum_buffer"]


def momentum(o, p, grad, s, t):
    mu, lr, g = o["momentum"], o["lr"], grad(p) + o["weight_decay"] * p
    old = s.get("velocity", np.zeros_like(p))
    if o["convention"] == "sum":
        s["velocity"] = mu * old + g
        return p - lr * s["velocity"]
    if o["convention"] == "average":
        s["velocity"] = mu * old + (1 - mu) * g
        return p - lr * s["velocity"]
    s["velocity"] = mu * old - lr * g
    return p + s["velocity"]


def look_ahead(o, p, grad, s, t):
    old = s.get("velocity", np.zeros_like(p))
    g = grad(p + o["momentum"] * old) + o["weight_decay"] * p
    s["velocity"] = o["momentum"] * old - o["lr"] * g
    return p + s["velocity"]


def adagrad(o, p, grad, s, t):
    g = grad(p) + o["weight_decay"] * p
    s["sum"] = s.get("sum", np.full_like(p, o["initial_accumulator_value"])) + g**2
    return p - o["lr"] / (1 + (t - 1) * o["lr_decay"]) * g / (np.sqrt(s["sum"]) + o["eps"])


def rmsprop(o, p, grad, s, t):
    g, a = grad(p) + o["weight_decay"] * p, o["alpha"]
    zero = np.zeros_like(p)
    s["square_avg"] = a * s.get("square_avg", zero) + (1 - a) * g**2
    variance = s["square_avg"]
    if o["centered"]:
        s["grad_avg"] = a * s.get("grad_avg", zero) + (1 - a) * g
        variance = np.maximum(variance - s["grad_avg"] ** 2, 0)
    scaled = g / (np.sqrt(variance) + o["eps"])
    if o["momentum"] > 0:
        scaled = s["momentum_buffer"] = o["momentum"] * s.get("momentum_buffer", zero) + scaled
    return p - o["lr"] * scaled


def adam(o, p, grad, s, t):
    (b1, b2), g, zero = o["betas"], grad(p), np.zeros_like(p)
    decoupled = o.get("decoupled_weight_decay", True)
    if not decoupled:
        g = g + o["weight_decay"] * p
    s["exp_avg"] = b1 * s.get("exp_avg", zero) + (1 - b1) * g
    s["exp_avg_sq"] = second = b2 * s.get("exp_avg_sq", zero) + (1 - b2) * g**2
    if o["amsgrad"]:
        s["max_exp_avg_sq"] = second = np.maximum(s.get("max_exp_avg_sq", zero), second)
    m_hat, v_hat = s["exp_avg"] / (1 - b1**t), second / (1 - b2**t)
    shrunk = p - o["lr"] * o["weight_decay"] * p if decoupled else p
    return shrunk - o["lr"] * m_hat / (np.sqrt(v_hat) + o["eps"])


def adadelta(o, p, grad, s, t):
    rho, eps, zero = o["rho"], o["eps"], np.zeros_like(p)
    g = grad(p) + o["weight_decay"] * p
    s["square_avg"] = rho * s.get("square_avg", zero) + (1 - rho) * g**2
    old = s.get("acc_delta", zero)
    delta = -np.sqrt((old + eps) / (s["square_avg"] + eps)) * g
    s["acc_delta"] = rho * old + (1 - rho) * delta**2
    return p + o["lr"] * delta


def adamax(o, p, grad, s, t):
    (b1, b2), zero = o["betas"], np.zeros_like(p)
    g = grad(p) + o["weight_decay"] * p
    s["exp_avg"] = b1 * s.get("exp_avg", zero) + (1 - b1) * g
    s["exp_inf"] = np.fmax(b2 * s.get("exp_inf", zero), np.abs(g) + o["eps"])
    return p - o["lr"] / (1 - b1**t) * s["exp_avg"] / s["exp_inf"]


def radam(o, p, grad, s, t):
    (b1, b2), lr, g, zero = o["betas"], o["lr"], grad(p), np.zeros_like(p)
    if o["decoupled_weight_decay"]:
        p = (1 - lr * o["weight_decay"]) * p
    else:
        g = g + o["weight_decay"] * p
    s["exp_avg"] = b1 * s.get("exp_avg", zero) + (1 - b1) * g
    s["exp_avg_sq"] = b2 * s.get("exp_avg_sq", zero) + (1 - b2) * g**2
    m_hat = s["exp_avg"] / (1 - b1**t)
    rho_inf = 2 / (1 - b2) - 1
    rho = rho_inf - 2 * t * b2**t / (1 - b2**t)
    if rho <= 5:
        return p - lr * m_hat
    adaptive = np.sqrt(1 - b2**t) / (np.sqrt(s["exp_avg_sq"]) + o["eps"])
    r = np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    return p - lr * r * m_hat * adaptive


def rprop(o, p, grad, s, t):
    (down, up), (low, high) = o["etas"], o["step_sizes"]
    g, p = grad(p), p.copy()
    before = s.get("prev", np.zeros_like(p))
    sizes = s.get("step_size", np.full_like(p, o["lr"])).copy()
    for i in range(len(p)):
        if before[i] * g[i] > 0:
            sizes[i] = sizes[i] * up
        elif before[i] * g[i] < 0:
            sizes[i] = sizes[i] * down
            g[i] = 0
        sizes[i] = min(max(sizes[i], low), high)
        p[i] -= np.sign(g[i]) * sizes[i]
    s["prev"], s["step_size"] = g, sizes
    return p


PAPERS: dict[str, Paper] = {
    "SGD": sgd,
    "Momentum": momentum,
    "Nesterov": look_ahead,
    "Adagrad": adagrad,
    "RMSprop": rmsprop,
    "Adam": adam,
    "AdamW": adam,
    "Adadelta": adadelta,
    "Adamax": adamax,
    "RAdam": radam,
    "Rprop": rprop,
}
