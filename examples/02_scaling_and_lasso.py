"""Feature scaling and the lasso.

"Suppose Lasso regression is applied to a dataset with 100 features. If one feature (F1) is rescaled by
multiplying it by 10, its corresponding coefficient decreases, reducing the absolute penalty. As a result, F1
is more likely to be retained in the model" (second document, 4.3.2).
"""

from typing import Any

import figure
import numpy as np
import torch
from matplotlib.colors import ListedColormap
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from thalweg import optim
from thalweg.tasks.data import fashion_mnist

STRENGTH, FACTOR, SIDE = 0.03, 10.0, 10


def regression() -> tuple[Tensor, Tensor]:
    """Tell shirts from T-shirts by 100 standardized pixels: XᵀX / n and Xᵀy / n, all that the lasso needs."""
    (images, labels), _, _ = fashion_mnist()
    chosen = (labels == 0) | (labels == 6)
    x = adaptive_avg_pool2d(images[chosen], SIDE).flatten(1).double()
    y = (labels[chosen] == 6).double() * 2 - 1
    x, y = (x - x.mean(dim=0)) / x.std(dim=0), y - y.mean()
    return x.T @ x / len(x), x.T @ y / len(x)


def lasso(
    problem: tuple[Tensor, Tensor], scale: Tensor, strength: float, start: Tensor, sweeps: int
) -> Tensor:
    """Minimize |y - X S w|² / 2n + strength Σ|w|, where S holds the scales of the features.

    Returned are the effects S w, in units of the standardized features; `start` is such an effect too.
    """
    curvature, right = problem[0] * scale * scale[:, None], problem[1] * scale
    w = nn.Parameter(start / scale)
    optimizer = optim.CoordinateDescent([w], l1=strength)

    def closure() -> Tensor:
        product = curvature @ w.detach()
        w.grad = product - right
        return w.detach() @ (product / 2 - right)

    for _ in range(sweeps):
        before = w.detach().clone()
        optimizer.step(closure)
        if ((w.detach() - before) * scale).abs().max() < 1e-4:
            break
    return w.detach() * scale


def scaled(j: int) -> Tensor:
    """Scales: feature j times 10, the others as they are."""
    scale = torch.ones(SIDE**2, dtype=torch.float64)
    scale[j] = FACTOR
    return scale


def grid(axes: Any, effects: Tensor, title: str, shown: int) -> None:
    """Draw which pixels the lasso keeps; a ring marks the one whose path is shown."""
    kept = (effects != 0).reshape(SIDE, SIDE)
    axes.pcolormesh(kept, cmap=ListedColormap([figure.FAINT, figure.BLUE]), edgecolors="white", linewidth=1.5)
    axes.set(aspect="equal", anchor="NW", xticks=[], yticks=[], title=title)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    row, column = divmod(shown, SIDE)
    axes.plot(
        column + 0.5,
        row + 0.5,
        "o",
        markersize=11,
        markerfacecolor="none",
        markeredgecolor=figure.ORANGE,
        mew=2,
    )


def example(quick: bool) -> figure.Finding:
    """Solve with every feature scaled in its turn; draw what is kept, and the path of one feature."""
    problem, sweeps = regression(), 2 if quick else 200
    none, nowhere = scaled(0) ** 0, torch.zeros(SIDE**2, dtype=torch.float64)
    plain = lasso(problem, none, STRENGTH, nowhere, sweeps)
    turns = range(0, 100, 25) if quick else range(100)
    larger = nowhere.clone()
    for j in turns:
        larger[j] = lasso(problem, scaled(j), STRENGTH, plain, sweeps)[j]
    kept, kept_larger = int((plain != 0).sum()), int((larger != 0).sum())
    shown = int((larger * (plain == 0)).abs().argmax())
    strengths = np.geomspace(0.5, 0.005, 4 if quick else 16)
    paths: list[list[float]] = []
    for scale in (none, scaled(shown)):
        effects, path = nowhere, []
        for strength in strengths:
            effects = lasso(problem, scale, float(strength), effects, sweeps)
            path.append(effects[shown].item())
        paths.append(path)
    title = (
        f"The lasso keeps {kept} of 100 features; multiplied by {FACTOR:g}, each in its turn, "
        f"{kept_larger} are kept"
    )
    subtitle = "Lasso regression on Fashion-MNIST, shirt or T-shirt, 100 standardized pixels. Blue = kept."
    plot, (left, middle, right) = figure.frame(title, subtitle, (1, 1, 1.25), height=3.6, gap=0.2)
    grid(left, plain, f"λ = {STRENGTH}: {kept} kept", shown)
    grid(middle, larger, f"Each times {FACTOR:g}: {kept_larger} kept", shown)
    for path, colour in zip(paths, (figure.BLUE, figure.ORANGE), strict=True):
        right.plot(strengths, path, color=colour, marker="o", markersize=3.5)
    figure.label(right, 0.5, paths[0][0] + 0.03, "as it was", figure.BLUE, ha="right")
    figure.label(right, 0.5, paths[1][0] - 0.05, f"times {FACTOR:g}", figure.ORANGE, ha="right")
    right.set(xscale="log", title="Effect of the ringed pixel", xlabel="strength of the penalty, λ")
    right.axvline(STRENGTH, color=figure.INK, linewidth=1, linestyle="--", zorder=1)
    effect = larger[shown].item()
    see = (
        f"With all 100 features standardized and λ = {STRENGTH}, the lasso keeps {kept}. Multiply one of "
        f"them by {FACTOR:g} and it needs a coefficient {FACTOR:g} times smaller for the same effect, so its "
        f"penalty is {FACTOR:g} times cheaper: of the 100 features, tried in turn, {kept_larger} are then "
        f"kept. The ringed pixel is dropped at λ = {STRENGTH}; times {FACTOR:g}, it has an effect of "
        f"{effect:+.2f} with a coefficient of {effect / FACTOR:+.3f}. Nothing about its relevance changed: "
        "standardize before you penalize."
    )
    return figure.Finding(title, see, plot)


if __name__ == "__main__":
    figure.run(__file__, example)
