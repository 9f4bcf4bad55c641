"""Clipping the gradient of a recurrent network.

"When gradients explode, a single update can ruin the model. This is common in RNNs", where "long sequences
cause the gradient norm to grow exponentially through the chain rule"; clipping by the global norm "preserves
the gradient direction"; "set the clipping threshold to 1.0" (third document).
"""

import figure
import numpy as np
import torch
from matplotlib.ticker import NullLocator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import get_total_norm

from thalweg import optim, transforms
from thalweg.tasks.data import KJV_SYMBOLS, kjv

THRESHOLD, SHOWN = 1.0, 3.0
RATES = (0.3, 1.0, 3.0, 10.0)
SEEDS = range(3)


class Reader(nn.Module):
    """A plain recurrent network, h ← tanh(A h + B x + b), that predicts the next of 64 characters."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(KJV_SYMBOLS, 32)
        self.recurrent = nn.RNN(32, width, batch_first=True)
        self.scores = nn.Linear(width, KJV_SYMBOLS)
        nn.init.orthogonal_(self.recurrent.get_parameter("weight_hh_l0"))

    def forward(self, characters: Tensor) -> Tensor:
        """Return the scores of every next character."""
        scores: Tensor = self.scores(self.recurrent(self.embedding(characters))[0])
        return scores


def train(rate: float, clip: bool, seed: int, steps: int) -> tuple[list[float], list[float]]:
    """Train with plain SGD, with or without clipping: the loss and the gradient's norm at each step."""
    (text, following), _, _ = kjv(64)
    torch.manual_seed(seed)
    model = Reader()
    clipping = [transforms.clip_norm(THRESHOLD)] if clip else []
    optimizer = optim.SGD(model.parameters(), lr=rate, transforms=clipping)
    chosen = torch.Generator().manual_seed(seed)
    losses, norms = [], []
    for _ in range(steps):
        rows = torch.randint(len(text), (16,), generator=chosen)
        loss = cross_entropy(model(text[rows]).flatten(0, 1), following[rows].flatten())
        optimizer.zero_grad()
        loss.backward()
        norms.append(get_total_norm([p.grad for p in model.parameters() if p.grad is not None]).item())
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


def example(quick: bool) -> figure.Finding:
    """Sweep the rate with and without clipping; draw the norms at one rate and the losses at all."""
    steps, rates = (5, (0.3, SHOWN)) if quick else (200, RATES)
    runs = {
        clip: {rate: [train(rate, clip, seed, steps) for seed in SEEDS] for rate in rates}
        for clip in (False, True)
    }
    ends = {
        clip: np.array([[np.mean(losses[-30:]) for losses, _ in some] for some in of_rate.values()]).T
        for clip, of_rate in runs.items()
    }
    middle = {clip: np.median(end, axis=0) for clip, end in ends.items()}
    shown = rates.index(SHOWN)
    title = (
        f"At a learning rate of {SHOWN:g}, clipping takes a recurrent network to a loss of "
        f"{middle[True][shown]:.2f}; without it the loss is {middle[False][shown]:.1f}"
    )
    subtitle = (
        f"Plain RNN on the King James Bible by character, {steps} steps of SGD, clipped at norm "
        f"{THRESHOLD:g}. All of three seeds."
    )
    plot, (left, right) = figure.frame(title, subtitle, (1.2, 1), height=4.1)
    for clip, colour, name in ((False, figure.ORANGE, "no clipping"), (True, figure.BLUE, "clipped")):
        for _, norms in runs[clip][SHOWN]:
            left.semilogy(norms, ".", color=colour, markersize=3.5, alpha=0.7, rasterized=True)
        figure.band(right, rates, np.minimum(ends[clip], 60), colour, marker="o", markersize=4)
        figure.label(right, rates[-1] * 1.2, min(float(middle[clip][-1]), 60), name, colour)
    left.axhline(THRESHOLD, color=figure.INK, linewidth=1.2, linestyle="--")
    figure.label(left, steps, THRESHOLD * 0.16, "dashed: the threshold", weight="normal", ha="right")
    left.set(title=f"Norm of the gradient at rate {SHOWN:g}", xlabel="step", ylim=(0.1, None))
    right.set(title="Loss at the end", xlabel="learning rate", xscale="log", yscale="log", xlim=(0.25, 75))
    right.set(xticks=rates, xticklabels=[f"{rate:g}" for rate in rates])
    right.yaxis.set_minor_locator(NullLocator())
    right.set(yticks=(2, 4, 8, 16), yticklabels=("2", "4", "8", "16"))
    longest = {clip: max(max(norms) for _, norms in some[SHOWN]) for clip, some in runs.items()}
    cut = np.mean([norm > THRESHOLD for _, norms in runs[True][SHOWN] for norm in norms])
    see = (
        f"At a rate of {SHOWN:g} the longest gradient without clipping has norm {longest[False]:,.0f}, and "
        f"each such step throws the weights far away. With a threshold of {THRESHOLD:g} the norms never "
        f"exceed {longest[True]:.1f} even before clipping, and only {cut:.0%} of the steps are clipped. The "
        f"losses at the rates {', '.join(f'{rate:g}' for rate in rates)} are "
        f"{', '.join(f'{x:.2f}' for x in middle[True])} clipped and "
        f"{', '.join(f'{x:.2f}' for x in middle[False])} unclipped: at small rates clipping changes nothing."
    )
    return figure.Finding(title, see, plot)


if __name__ == "__main__":
    figure.run(__file__, example)
