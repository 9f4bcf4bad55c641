"""Independent transcriptions of each algorithm's paper (or of torch's documented form of it) in numpy.

They work on all parameters of a model as one vector, in float64. They know nothing of the package: each is
written from its source in plain statements. Each takes the options, the parameters, the gradient as a
function of them, the states (which it keeps) and the number of the step, and returns the new parameters.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.optim.network import learned
from tests.optim.shelf import SHAPES, SIZES, Vector

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


def nadam(o, p, grad, s, t):
    (b1, b2), lr, g, zero = o["betas"], o["lr"], grad(p), np.zeros_like(p)
    if o["decoupled_weight_decay"]:
        p = (1 - lr * o["weight_decay"]) * p
    else:
        g = g + o["weight_decay"] * p
    mu = [b1 * (1 - 0.5 * 0.96 ** (k * o["momentum_decay"])) for k in (t, t + 1)]
    product = s.get("mu_product", np.ones(len(SIZES))) * mu[0]
    s["exp_avg"] = b1 * s.get("exp_avg", zero) + (1 - b1) * g
    s["exp_avg_sq"] = b2 * s.get("exp_avg_sq", zero) + (1 - b2) * g**2
    s["mu_product"] = product
    m_bar = (1 - mu[0]) * g / (1 - product[0]) + mu[1] * s["exp_avg"] / (1 - product[0] * mu[1])
    return p - lr * m_bar / (np.sqrt(s["exp_avg_sq"] / (1 - b2**t)) + o["eps"])


def asgd(o, p, grad, s, t):
    g, ones = grad(p) + o["weight_decay"] * p, np.ones(len(SIZES))
    eta, mu = s.get("eta", o["lr"] * ones), s.get("mu", ones)
    p = p - eta[0] * (o["lambd"] * p + g)
    s["ax"] = p if mu[0] == 1 else (1 - mu[0]) * s["ax"] + mu[0] * p
    s["eta"] = o["lr"] / (1 + o["lambd"] * o["lr"] * t) ** o["alpha"] * ones
    s["mu"] = 1 / max(1, t - o["t0"]) * ones
    return p


def tensors(vector: Vector) -> list[Vector]:
    """The vector in parts of the parameters' shapes."""
    parts = np.split(vector, np.cumsum(SIZES)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, SHAPES, strict=True)]


def vector(parts: list[Vector]) -> Vector:
    return np.concatenate([part.ravel() for part in parts])


def rms(x):
    return np.sqrt(np.mean(x**2))


def adafactor(o, p, grad, s, t):
    (eps1, eps2), lr, share = o["eps"], o["lr"], t ** o["beta2_decay"]
    eps1 = np.finfo(float).eps if eps1 is None else eps1
    old, new = dict(s), {"row_var": [], "col_var": [], "variance": []}
    s.clear()
    out = []

    def averaged(key: str, value: Vector) -> Vector:
        """The average of the next tensor that has one of this kind."""
        done = sum(map(len, new[key]))
        before = old[key][done : done + value.size].reshape(value.shape) if old else 0
        new[key].append(((1 - share) * before + share * value).ravel())
        return new[key][-1].reshape(value.shape)

    for x, g in zip(tensors(p), tensors(grad(p)), strict=True):
        if g.ndim < 2:
            v_hat = averaged("variance", g**2)
        else:
            row = averaged("row_var", (g**2).mean(-1, keepdims=True))
            col = averaged("col_var", (g**2).mean(-2, keepdims=True))
            v_hat = row * col / np.maximum(row.mean(-2, keepdims=True), eps1)
        u = g / np.maximum(np.sqrt(v_hat), eps1)
        u = u / max(1, rms(u) / o["d"])
        out.append(x - lr * o["weight_decay"] * x - max(eps2, rms(x)) * min(lr, t**-0.5) * u)
    s |= {key: np.concatenate(parts) for key, parts in new.items()}
    return vector(out)


def lars(o, p, grad, s, t):
    g, wd, lr = grad(p), o["weight_decay"], o["lr"]
    rates = []
    for x, h in zip(tensors(p), tensors(g), strict=True):
        w, norm = np.linalg.norm(x), np.linalg.norm(h)
        rates += [o["trust_coefficient"] * w / (norm + wd * w) if o["adapt"] else 1] * x.size
    s["velocity"] = o["momentum"] * s.get("velocity", 0) - lr * np.array(rates) * (g + wd * p)
    return p + s["velocity"]


def lamb(o, p, grad, s, t):
    (b1, b2), g, zero = o["betas"], grad(p), np.zeros_like(p)
    s["exp_avg"] = b1 * s.get("exp_avg", zero) + (1 - b1) * g
    s["exp_avg_sq"] = b2 * s.get("exp_avg_sq", zero) + (1 - b2) * g**2
    m, v = s["exp_avg"], s["exp_avg_sq"]
    if o["bias_correction"]:
        m, v = m / (1 - b1**t), v / (1 - b2**t)
    r = m / (np.sqrt(v) + o["eps"]) + o["weight_decay"] * p
    out = []
    for x, step in zip(tensors(p), tensors(r), strict=True):
        phi = np.clip(np.linalg.norm(x), *o["bounds"])
        out.append(x - o["lr"] * (phi / np.linalg.norm(step) if o["adapt"] else 1) * step)
    return vector(out)


def sgd_hd(o, p, grad, s, t):
    g = grad(p) + o["weight_decay"] * p
    h = -g @ s.get("prev_grad", np.zeros_like(p))
    s["lr_shift"] = s.get("lr_shift", np.zeros(len(SIZES))) - o["hypergrad_lr"] * h
    s["prev_grad"] = g
    return p - (o["lr"] + s["lr_shift"][0]) * g


def adam_hd(o, p, grad, s, t):
    (b1, b2), zero = o["betas"], np.zeros_like(p)
    g = grad(p) + o["weight_decay"] * p
    m, v = s.get("exp_avg", zero), s.get("exp_avg_sq", zero)
    last = adam_step(m, v, o, t - 1) if t > 1 else zero
    s["lr_shift"] = s.get("lr_shift", np.zeros(len(SIZES))) + o["hypergrad_lr"] * (g @ last)
    s["exp_avg"], s["exp_avg_sq"] = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return p - (o["lr"] + s["lr_shift"][0]) * adam_step(s["exp_avg"], s["exp_avg_sq"], o, t)


def adam_step(m, v, o, t):
    (b1, b2) = o["betas"]
    return m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + o["eps"])


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
    "NAdam": nadam,
    "ASGD": asgd,
    "Adafactor": adafactor,
    "LARS": lars,
    "LAMB": lamb,
    "SGDHD": sgd_hd,
    "AdamHD": adam_hd,
    "Learned": learned,
}
