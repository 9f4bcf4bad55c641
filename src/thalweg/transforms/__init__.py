"""What wraps a step: clipping, decay, penalties, guards, trust ratios.

A transform is given to an optimizer, in the order in which it is to work::

    optim.AdamW(model.parameters(), transforms=[transforms.guard(), transforms.clip_norm(1.0)])
"""

from thalweg.transforms.clip import clip_norm, clip_value
from thalweg.transforms.decay import coupled_decay, decoupled_decay
from thalweg.transforms.guard import guard
from thalweg.transforms.penalty import elastic_net_penalty, elastic_net_prox, l1_penalty, l1_prox
from thalweg.transforms.trust import trust_ratio

__all__ = [
    "clip_norm",
    "clip_value",
    "coupled_decay",
    "decoupled_decay",
    "elastic_net_penalty",
    "elastic_net_prox",
    "guard",
    "l1_penalty",
    "l1_prox",
    "trust_ratio",
]
