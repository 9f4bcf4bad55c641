"""A saddle point.

"At a saddle point the gradient is zero, but the surface curves up in some directions and down in others.
Standard gradient descent can get stuck near these points for many iterations" (third document; first
document, problem 2, with its picture; second document, figure 4.14).
"""

from dataclasses import replace

import figure
import numpy as np
import torch

from surfaces import board, solid, walk, window
from thalweg import landscape, optim
from thalweg.landscape import plots

START = (1.0, 1e-4)
OPTIMIZERS = {
    "SGD": (figure.ORANGE, lambda p: optim.SGD(p, lr=0.05), -0.25),
    "momentum 0.9": (figure.BLUE, lambda p: optim.SGD(p, lr=0.05, momentum=0.9), -0.19),
    "Newton": (figure.PLUM, lambda p: optim.Newton(p), -0.4),
}
"""For each its colour, how it is made, and the height of its label, beside no other's curve."""


def saddle(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Up along x, down along y to two minima at y = ±1."""
    return x**2 - y**2 + y**4 / 2


def draw(quick: bool) -> figure.Finding:
    """Walk past the saddle; the gradient's length tells how long it holds."""
    found = landscape.saddle(landscape.function(saddle, (0.0, 0.0)))
    chart = window(saddle, (-1.25, 1.25), (-1.35, 1.35), 11 if quick else 61)
    walks = {name: walk(saddle, START, make, 150) for name, (_, make, _) in OPTIMIZERS.items()}
    counts = {name: int(np.argmax(path[:, 2] < -0.25)) for name, path in walks.items()}
    title = f"Near a saddle SGD stands still: {counts['SGD']} steps until it leaves, with hardly a gradient"
    subtitle = (
        "x² - y² + y⁴/2, from (1, 0.0001): one ten-thousandth beside the ridge. Left: SGD's way. Right: "
        "all three."
    )
    plot, (left, right) = board(
        title, subtitle, [(1, "3d"), (1.1, "flat")], height=3.9, gap=0.14, titles=True
    )
    plots.surface(replace(chart, path=walks["SGD"]), left)
    left.plot([0], [0], [0], "o", color=figure.INK, markersize=5, zorder=4)
    solid(left, 32, -56, zoom=1.12)
    for name, (colour, _, height) in OPTIMIZERS.items():
        right.plot(walks[name][:, 2], color=colour)
        at = counts[name]
        figure.label(right, at + 3, height, f"{name}: {at}", colour, size=8.5)
    right.axhline(0, color=figure.LINE, linewidth=1)
    right.set(title="Loss; the saddle is at 0", xlabel="step", xlim=(0, 150), ylim=(-0.58, 1.05))
    see = (
        f"`landscape.saddle` says of the middle: {found.kind}, with eigenvalues from "
        f"{found.smallest[0]:.0f} to {found.largest[0]:.0f}. SGD comes down the ridge in some 40 steps and "
        "then waits, until the distance from the ridge has grown by a factor of 1.1 a step to something "
        f"visible: {counts['SGD']} steps. Momentum needs {counts['momentum 0.9']}; Newton's method with a "
        f"trust region sees the negative curvature and needs {counts['Newton']}."
    )
    return figure.Finding(title, see, plot)
