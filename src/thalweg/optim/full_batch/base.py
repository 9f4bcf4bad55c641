"""The base of the methods that evaluate the loss themselves, on all parameters as one vector."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from thalweg.engine.distributed import is_sharded
from thalweg.engine.options import check_options
from thalweg.errors import UserError
from thalweg.optim.full_batch.checkpoint import fitted, load
from thalweg.optim.full_batch.objective import Objective

__all__ = ["FullBatch", "check_size", "evaluations"]

CLOSURE = "def closure(): optimizer.zero_grad(); loss = loss_fn(model(x), y); loss.backward(); return loss"


class FullBatch(torch.optim.Optimizer):
    """Base: a `torch.optim.Optimizer` whose step calls a closure as often as the algorithm needs.

    The closure is that of `torch.optim.LBFGS`: it clears the gradients, computes the loss, calls backward and
    returns the loss, always of the same data within a step. The same closure serves every method; those that
    need second derivatives differentiate the loss that it returns, and calling backward does no harm.

    A subclass moves x, the vector of all parameters, in `_advance`, and says of its options which interval
    (`intervals`), which are whole numbers (`whole`) and which texts (`choices`) are allowed, and what it
    remembers from step to step (`remembers`). State is kept under the first parameter, as torch's LBFGS does.

    If the closure raises, or is interrupted, the parameters and the state are as before the step. Under
    DistributedDataParallel the closure must return the loss averaged over the processes, since each decides
    by it.

    Args:
        params: parameters or named parameters of one dtype (float32 or float64) on one device; or one group.
        defaults: the options.

    Raises:
        UserError: an option is out of its interval, or the parameters cannot be made one vector.
    """

    intervals: ClassVar[Mapping[str, str]] = {"lr": "[0, inf)"}
    whole: ClassVar[frozenset[str]] = frozenset()
    choices: ClassVar[Mapping[str, tuple[str | None, ...]]] = {}
    remembers: ClassVar[Mapping[str, str]] = {}  # name: number, vector, matrix, numbers or vectors

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add the only group; its options and parameters are checked.

        Raises:
            UserError: there is one already, an option is out of its interval, or the parameters cannot be
                made one vector.
        """
        # Torch's decorator keeps the compiler out of this method, and for that imports it: 1.3 s.
        inspect.unwrap(torch.optim.Optimizer.add_param_group)(self, param_group)
        try:
            self._check()
        except UserError:
            self.param_groups.pop()
            raise

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move the parameters by one step of the method.

        Args:
            closure: clears the gradients, computes the loss, calls backward and returns the loss.

        Returns:
            What the closure returned first: the loss before the step.

        Raises:
            UserError: there is no closure, what it does or returns is of no use, or the parameters have
                changed their size.
            FloatingPointError: the loss or its gradient is infinite or NaN before the step, or after a move
                that no line search controls; the parameters are as before the step.
        """
        owner = type(self).__name__
        if closure is None:
            raise UserError(
                f"{owner} evaluates the loss itself: write '{CLOSURE}' and then 'optimizer.step(closure)'"
            )
        self._check()
        group = self.param_groups[0]
        objective = Objective(owner, group["params"], closure, group.get("max_eval"))
        state = fitted(owner, self.state.get(group["params"][0], {}), self.remembers, group["params"])
        try:
            x, changes = self._advance(objective, group, state)
        except BaseException:
            objective.move(objective.start)
            raise
        objective.move(x)
        counts = {
            "n_iter": state.get("n_iter", 0) + 1,
            "func_evals": state.get("func_evals", 0) + objective.evaluations,
        }
        # A new dictionary: a state_dict that was taken before stays as it was.
        new = {**state, **counts, **changes}
        self.state[group["params"][0]] = {key: value for key, value in new.items() if value is not None}
        return objective.first

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a state, exactly or not at all; what is loaded shares no memory with the argument.

        Raises:
            UserError: the state is of another method, or of parameters with other names or another size;
                nothing was changed.

        Warns:
            CheckpointWarning: the checkpoint replaced an option that was chosen otherwise.
        """
        load(self, state_dict, super().load_state_dict)

    def _advance(
        self, objective: Objective, group: Mapping[str, Any], state: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        """Return where the parameters go, and what changes in the state: None forgets an entry.

        Tensors of the state are never changed in place.
        """
        raise NotImplementedError

    def _adapt(self, group: dict[str, Any], slots: Iterable[dict[str, Any]]) -> None:
        """Adapt what is being loaded, a copy, where another package saved it."""

    def _check(self) -> None:
        owner = type(self).__name__
        if len(self.param_groups) > 1:
            raise UserError(f"{owner} treats all parameters as one vector: give it one parameter group")
        group = self.param_groups[0]
        check_options(owner, group, self.intervals)
        for name in self.whole:
            if type(group[name]) is not int:
                raise UserError(f"{owner}: {name} must be a whole number, got {group[name]!r}")
        for name, allowed in self.choices.items():
            if group[name] not in allowed:
                listed = ", ".join(map(repr, allowed))
                raise UserError(f"{owner}: {name} must be one of {listed}, got {group[name]!r}")
        self._check_params()

    def _check_params(self) -> None:
        owner, params = type(self).__name__, self.param_groups[0]["params"]
        if len({id(p) for p in params}) < len(params):
            raise UserError(f"{owner}: a parameter appears twice; pass it once")
        kinds = {(p.dtype, p.device) for p in params}
        if len(kinds) > 1:
            raise UserError(
                f"{owner} treats all parameters as one vector: they must be of one dtype on one device, got "
                + " and ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            )
        if params[0].dtype not in (torch.float32, torch.float64):
            raise UserError(
                f"{owner} works in float32 or float64; parameters of {params[0].dtype} are refused: "
                "convert the model, as by model.float()"
            )
        if any(p.layout != torch.strided or is_sharded(p) for p in params):
            raise UserError(f"{owner} treats all parameters as one vector: none may be sparse or sharded")
        if not any(p.numel() for p in params):
            raise UserError(f"{owner}: the parameters hold no numbers")


def evaluations(max_eval: int | None, max_iter: int, least: int) -> int:
    """The limit of evaluations, by default torch's: 5/4 of the iterations, but no less than is of use."""
    if max_eval is not None:
        return max_eval
    return max(least, max_iter * 5 // 4) if isinstance(max_iter, int) else least  # else refused by the check


def check_size(owner: str, x: Tensor, matrices: int, limit: int) -> None:
    """Refuse n numbers where n × n matrices would not be worth their memory.

    Raises:
        UserError: n is above the limit.
    """
    n = len(x)
    if n > limit:
        size = matrices * n * n * x.element_size() / 1e9
        raise UserError(
            f"{owner} needs {matrices} matrices of n x n numbers: {size:,.1f} GB for n = {n:,}, above "
            f"max_params={limit:,}; raise max_params, or use LBFGS or NewtonCG, whose memory grows with n"
        )
