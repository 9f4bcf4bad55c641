"""The one Optimizer: it gathers tensors and scalars for the engines; the numerics are in the rules."""

import inspect
import operator
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat
from types import ModuleType
from typing import Any, ClassVar, cast

import torch
from torch import Tensor
from torch._compile import _disable_dynamo

from thalweg.engine import compiled, fused, reference
from thalweg.engine.batch import Engine
from thalweg.engine.checkpoint import detached_counts, loading, portable, report
from thalweg.engine.counters import Counters
from thalweg.engine.explain import explain
from thalweg.engine.interrupt import held
from thalweg.engine.layout import Layout, initial_state
from thalweg.engine.options import check_options
from thalweg.engine.plan import Program, Transform, compose
from thalweg.engine.rule import Rule
from thalweg.engine.sums import taken
from thalweg.engine.tensor_rule import TensorRule
from thalweg.errors import UserError

__all__ = ["Optimizer"]

_grad = operator.attrgetter("grad")
_ENGINES: Mapping[str, ModuleType] = {"reference": reference, "fused": fused, "compiled": compiled}


class Optimizer(torch.optim.Optimizer):
    """Base of every optimizer: a `torch.optim.Optimizer` whose step runs a rule through an engine.

    A subclass says which rule and transforms a parameter group uses (`algorithm`) and within which
    intervals its options lie (`intervals`).

    Args:
        params: parameters, named parameters or groups, as for torch.
        defaults: default options of a group.
        transforms: what wraps the step, in order; see `thalweg.transforms`.
        engine: "reference", "fused" or "compiled"; by default fused on the CPU and compiled elsewhere.

    Raises:
        UserError: an option is out of its interval, or a parameter cannot be optimized.
    """

    intervals: ClassVar[Mapping[str, str]] = {"lr": "[0, inf)"}
    uncounted: ClassVar[bool] = False  # torch's class of this name keeps no step counts
    transforms: tuple[Transform, ...]
    engine: str | None

    def __init__(
        self,
        params: Any,
        defaults: dict[str, Any],
        transforms: Iterable[Transform] = (),
        engine: str | None = None,
    ) -> None:
        if engine not in (None, *_ENGINES):
            raise UserError(f"engine must be one of {', '.join(_ENGINES)} or None, got {engine!r}")
        self.transforms = _checked(transforms)
        self.engine = engine
        self._forget()
        super().__init__(params, defaults)

    def algorithm(self, group: Mapping[str, Any]) -> tuple[Rule | TensorRule, tuple[Transform, ...]]:
        """The rule of a group and the transforms that belong to the algorithm itself."""
        raise NotImplementedError

    # -- what torch calls -----------------------------------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, as in torch; its options and parameters are checked.

        Raises:
            UserError: an option is out of its interval, or a parameter is complex or sparse.
        """
        # Torch's decorator keeps the compiler out of this method, and for that imports it: 1.3 s.
        inspect.unwrap(torch.optim.Optimizer.add_param_group)(self, param_group)
        group = self.param_groups[-1]
        try:
            check_options(type(self).__name__, group, self.intervals)
            _check_params(group["params"])
            self.program(group)
        except UserError:
            self.param_groups.pop()
            raise
        self._forget()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: computes the loss and the gradients; called once, before gradients are read.

        Returns:
            What the closure returned, or None.

        Raises:
            UserError: a gradient is sparse.
            FloatingPointError: a transform met a gradient that is infinite or NaN; nothing was changed.
        """
        return _untraced(self, closure) if torch.compiler.is_compiling() else self._step(closure)

    def _step(self, closure: Callable[[], Any] | None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.set_grad_enabled(bool(self.defaults.get("differentiable", False))):
            self._update()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The state and the options, as torch's optimizer of the same name gives them."""
        self._settle()
        out = super().state_dict()
        if "state" in out:  # unless a hook of the user's has made something else of it
            out["state"] = portable(out["state"])
        return out

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a state, exactly or not at all.

        Named parameters are matched by name. States keep the precision they were saved in: torch would cast
        float32 states of a bfloat16 parameter down to bfloat16.

        Raises:
            UserError: names, shapes or kinds of state do not fit this optimizer; nothing was changed.

        Warns:
            CheckpointWarning: the checkpoint replaced an option that was chosen otherwise, such as a fresh
                learning rate. A value that a schedule changed is compared as it was before.
        """
        with loading(self) as plan:
            super().load_state_dict(state_dict)
        report(self, plan)

    def explain(self) -> str:
        """The stages of each group's step in the order in which they run, and the engines that run them."""
        return explain(self)

    def __repr__(self) -> str:
        """The options of each group, as torch prints them, then the plan."""
        return f"{super().__repr__()[:-1]}Plan\n{textwrap.indent(self.explain(), '    ')}\n)"

    def __getstate__(self) -> dict[str, Any]:
        """What pickle and deepcopy keep."""
        self._settle()
        kept = {"transforms": self.transforms, "engine": self.engine}
        state = defaultdict(dict, detached_counts(self.state))
        return {**super().__getstate__(), **kept, "state": state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore, and forget every cached address."""
        super().__setstate__(state)
        self._forget()

    # -- the step -------------------------------------------------------------------------------------------

    def program(self, group: Mapping[str, Any]) -> Program:
        """The composed program of a group; the user's gradient transforms run before the algorithm's."""
        rule, own = self.algorithm(group)
        before = tuple(t for t in self.transforms if t.on == "grad")
        after = tuple(t for t in self.transforms if t.on != "grad")
        return compose(rule, (*before, *own, *after), bool(group.get("maximize", False)))

    def states_of(self, group: Mapping[str, Any], p: Tensor) -> dict[str, Any]:
        """The state of a parameter before its first step."""
        return initial_state(self.program(group), p)

    def engine_of(self, p: Tensor, dense: bool, elementwise: bool = True) -> Engine:
        """The engine that runs a parameter."""
        name = self.engine or ("fused" if p.device.type == "cpu" else "compiled")
        unsuited = (
            not (dense and elementwise)
            or not _is_plain(p)
            or p.device.type == "meta"
            or self.defaults.get("differentiable", False)
        )
        if unsuited or (name == "fused" and not fused.supports(p)):
            name = "reference"
        return cast(Engine, _ENGINES[name])

    def name_of(self, index: int) -> str:
        """A parameter's name for messages, by its place among all parameters."""
        for number, group in enumerate(self.param_groups):
            if index < len(group["params"]):
                shape = tuple(group["params"][index].shape)
                names = group.get("param_names")
                return names[index] if names else f"parameter {index} of group {number}, shape {shape}"
            index -= len(group["params"])
        raise IndexError(index)

    def _settle(self) -> None:
        for layout in self._layouts.values():
            layout.settle()

    def _forget(self) -> None:
        self._layouts: dict[Any, Layout] = {}
        self._latest: Layout | None = None
        self._counters: Counters | None = None

    def _update(self) -> None:
        layout = self._prepare()
        sums = taken(layout)
        if sums is None:
            return
        with held():
            for member, own in zip(layout.members, sums, strict=True):
                member.engine.step(member.batch, own)
            layout.count(sums)

    def _prepare(self) -> Layout:
        params = list(chain.from_iterable(group["params"] for group in self.param_groups))
        programs = tuple(map(self.program, self.param_groups))
        layout = self._latest
        # Reading first brings the tensors into the caches, for which the look at each of them would wait.
        ready = layout is not None and layout.programs == programs and layout.read()
        if layout is None or not (ready and layout.holds(params, self.state)):
            layout = self._latest = self._look(params, programs)
        layout.begin()
        return layout

    def _look(self, params: list[Tensor], programs: tuple[Program, ...]) -> Layout:
        """The layout for the gradients that are there, prepared for a step from Python."""
        grads = list(map(_grad, params))
        live = bytes(map(operator.is_not, grads, repeat(None)))
        layout = self._layouts.get((live, programs))
        if layout is None or not (layout.holds(params, self.state) and layout.in_place()):
            if self._counters is None or len(self._counters.steps.values) != len(params):
                self._counters = Counters(len(params))
            if len(self._layouts) > 16:  # a pattern of missing gradients that changes at every step
                self._layouts.clear()
            layout = self._layouts[live, programs] = Layout(self, params, live, programs, self._counters)
        layout.refresh(grads)
        return layout


@_disable_dynamo
def _untraced(optimizer: Optimizer, closure: Callable[[], Any] | None) -> Any:
    """A step within a function that the user compiles: the compiler calls it as it is."""
    return optimizer._step(closure)


def _is_plain(p: Tensor) -> bool:
    """True unless the tensor is of a class that has its own way with torch's operations, and no memory."""
    return type(p).__torch_dispatch__ is Tensor.__torch_dispatch__


def _check_params(params: Sequence[Tensor]) -> None:
    seen: set[int] = set()
    for p in params:
        if id(p) in seen:
            raise UserError(f"a parameter of shape {tuple(p.shape)} appears twice in a group; pass it once")
        seen.add(id(p))
        if not p.is_floating_point():
            raise UserError(f"a parameter of dtype {p.dtype} cannot be optimized; use a real float dtype")
        if p.layout is not torch.strided:
            raise UserError(
                f"a parameter of shape {tuple(p.shape)} is sparse ({p.layout}) and cannot be optimized; make "
                "it dense, as by p.to_dense()"
            )


def _checked(transforms: Iterable[Transform]) -> tuple[Transform, ...]:
    if isinstance(transforms, Transform):
        raise UserError(f"transforms is a list: transforms=[{transforms!r}]")
    out = tuple(transforms)
    for t in out:
        if not isinstance(t, Transform):
            raise UserError(
                f"transforms holds {t!r}; use those of thalweg.transforms, such as clip_norm(1.0)"
            )
    if len({id(t) for t in out}) < len(out):
        raise UserError("transforms holds the same transform twice; make a second one if both are meant")
    return out
