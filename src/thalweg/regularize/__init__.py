"""Regularization: who decays, noise while training, constraints, averages of weights, and when to stop.

Penalties and decay of the weights are in `thalweg.transforms`. What torch has is torch's: dropout
(`torch.nn.Dropout`), the norms (`torch.nn.BatchNorm2d`, `LayerNorm`, `GroupNorm`, `InstanceNorm2d`), weight
and spectral norm (`torch.nn.utils.parametrizations`), label smoothing (`label_smoothing` of
`torch.nn.functional.cross_entropy`, which takes the targets of `Mixup` and `CutMix`), fractional
max-pooling (`torch.nn.FractionalMaxPool2d`), the averaged model of SWA and EMA
(`torch.optim.swa_utils.AveragedModel`). All of them train with the optimizers here;
`tests/regularize/test_torchs_own.py` shows each.
"""

from thalweg.regularize.averaging import ema, reestimate_batch_norm
from thalweg.regularize.constraint import max_norm
from thalweg.regularize.depth import DropPath, depth_linear, drop_path
from thalweg.regularize.dropout import DropoutSchedule
from thalweg.regularize.grouping import groups
from thalweg.regularize.kinds import Member
from thalweg.regularize.mixing import CutMix, Mixup
from thalweg.regularize.plan import GroupPlan, explain
from thalweg.regularize.stopping import EarlyStopping

__all__ = [
    "CutMix",
    "DropPath",
    "DropoutSchedule",
    "EarlyStopping",
    "GroupPlan",
    "Member",
    "Mixup",
    "depth_linear",
    "drop_path",
    "ema",
    "explain",
    "groups",
    "max_norm",
    "reestimate_batch_norm",
]
