"""The advisor: a starting recipe from a look at the task, each choice with its reason and its source.

It is a starting point, not a search: the rules are few, are the same for every task, and come from the
literature. What they are worth on the built-in tasks is measured by ``benchmarks/advise.py``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from thalweg.race.eligible import size
from thalweg.race.look import Look, look
from thalweg.race.recipe import Recipe, number
from thalweg.race.saved import SavedRecipe, machine, versions
from thalweg.race.space import Option
from thalweg.tasks import Task, load
from thalweg.tasks import device as find_device

LARGE_BATCH = 4096  # samples: from about here on momentum and Adam need a rate for each layer
RARE = 0.9  # the share of an embedding's rows without a gradient, from which on gradients count as sparse
MILLION, HIGHEST = 3e-3, 1e-2  # Adam's learning rate for a million parameters, and for any number of them
_GPT3 = "the rates of Brown et al. 2020, arXiv:2005.14165, table 2.1, carried on to small models"


@dataclass(frozen=True)
class Choice:
    """One part of the recipe: what, its value, why, and who says so."""

    what: str
    value: str
    why: str
    source: str


@dataclass(frozen=True)
class Advice:
    """A starting recipe with its reasons.

    Attributes:
        recipe: how to train.
        choices: each of its parts with the reason.
        seen: what the look at the task showed.
        also: other optimizers that are worth a race, in words.
    """

    recipe: Recipe
    choices: tuple[Choice, ...]
    seen: Look
    also: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        import json

        return {**asdict(self), "recipe": json.loads(self.recipe.to_json())}

    def save(self, path: str | Path, task: Task) -> None:
        """Write a ``recipe.json`` that ``thalweg train --recipe`` takes. It is advice: no run proves it.

        Raises:
            UserError: the file cannot be written.
        """
        about = {"name": task.name, "source": task.source, "hash": task.hash}
        said = {"kind": "advice", "sentence": "a starting point; no race has confirmed it"}
        saved = SavedRecipe(self.recipe, self.seen.steps, about, None, versions(), machine(), said)
        saved.write(Path(path))


def advise(task: str | Path | Task, device: str = "auto") -> Advice:
    """Look at a task's model and data, and return a starting recipe with the reason for each choice.

    Args:
        task: a built-in task's name, the path of a task file, or a `Task`.
        device: where the one batch of the look runs.

    Raises:
        UserError: the task cannot be loaded or run, or it makes sparse gradients.

    >>> advise("fashion-mlp", device="cpu").recipe.describe()
    'adamw lr 4.6e-3, warm-up 5 %, cosine, decay 0.1'
    """
    found = task if isinstance(task, Task) else load(task)
    return advice_for(look(found, str(find_device(device))))


def advice_for(seen: Look) -> Advice:
    """The rules, one after another."""
    optimizer = _optimizer(seen)
    lr, options, rate = _rate(optimizer.value, seen)
    choices = [optimizer, rate]
    warmup, schedule = _schedule(seen)
    choices += schedule
    decay = _decay(optimizer.value, seen)
    if decay is not None:
        options["weight_decay"] = float(decay.value)
        choices.append(decay)
    clip = _clip(seen)
    choices.append(clip)
    recipe = Recipe(
        optimizer.value, lr, options, warmup, "cosine", None if clip.value == "none" else float(clip.value)
    )
    return Advice(recipe, tuple(choices), seen, _also(optimizer.value, seen))


def _optimizer(seen: Look) -> Choice:
    if seen.state_bytes + 8 * seen.parameters > seen.free_bytes:  # beside it, weights and gradients
        why = (
            f"AdamW's state would take {size(seen.state_bytes)} beside weights and gradients, and there is "
            f"room for {size(seen.free_bytes)}; this one keeps a row and a column for each matrix"
        )
        return Choice("optimizer", "adafactor", why, "Shazeer & Stern 2018, arXiv:1804.04235")
    if seen.batch_size >= LARGE_BATCH:
        why = f"a batch of {seen.batch_size:,} allows long steps, which this one fits to each layer's weights"
        return Choice("optimizer", "lamb", why, "You et al. 2020, arXiv:1904.00962")
    if seen.embedding_share > 0.5 and seen.untouched > RARE:
        why = (
            f"a batch touches {100 * (1 - seen.untouched):.1f} % of the embeddings' rows: a rate of its own "
            "serves each rare row, and no momentum moves it while it is not seen"
        )
        return Choice("optimizer", "adagrad", why, "Duchi, Hazan & Singer 2011, JMLR 12")
    why = "its steps have the right size without tuning, and its decay does not depend on the gradients"
    source = "Loshchilov & Hutter 2019, arXiv:1711.05101; Schmidt et al. 2021, arXiv:2007.01547"
    return Choice("optimizer", "adamw", why, source)


def _rate(optimizer: str, seen: Look) -> tuple[float, dict[str, Option], Choice]:
    """The learning rate, and the options that the optimizer's textbook default has."""
    options = dict(Recipe.default(optimizer).options)
    if optimizer == "adagrad":
        why = "a few times torch's default, since the rate falls by itself"
        return 0.05, options, Choice("lr", "0.05", why, "Duchi, Hazan & Singer 2011, JMLR 12")
    if optimizer == "adafactor":
        why = "a share of each weight's size: the paper's relative step"
        return 0.01, options, Choice("lr", "0.01", why, "Shazeer & Stern 2018, arXiv:1804.04235, section 8")
    lr = float(f"{min(HIGHEST, MILLION * (1e6 / seen.parameters) ** (1 / 3)):.2g}")
    why = f"{seen.parameters:,} parameters: n of them take {MILLION:g} (1e6 / n)^(1/3), at most {HIGHEST:g}"
    return lr, options, Choice("lr", number(lr), why, _GPT3)


def _schedule(seen: Look) -> tuple[float, list[Choice]]:
    warmup = 0.1 if seen.attention else 0.05
    why = "the first gradients are large and Adam's averages are empty"
    source = "Goyal et al. 2017, arXiv:1706.02677; Ma & Yarats 2021, arXiv:1910.04209"
    if seen.attention:
        why, source = f"{why}; attention needs it most", f"Xiong et al. 2020, arXiv:2002.04745; {source}"
    rest = "the noise of the batches is averaged away at the end; a constant rate stays in it"
    return warmup, [
        Choice("warm-up", f"{100 * warmup:g} %", why, source),
        Choice("then", "cosine", rest, "Loshchilov & Hutter 2017, arXiv:1608.03983"),
    ]


def _decay(optimizer: str, seen: Look) -> Choice | None:
    if optimizer == "adagrad":
        return None  # it is coupled there: it would make every row's gradient dense
    source = "Loshchilov & Hutter 2019, arXiv:1711.05101"
    if seen.parameters > seen.samples:
        why = f"more parameters ({seen.parameters:,}) than samples ({seen.samples:,}): hold them back"
        return Choice(
            "weight decay", "0.1", why, f"{source}; Brown et al. 2020, arXiv:2005.14165, appendix B"
        )
    why = f"{seen.samples:,} samples for {seen.parameters:,} parameters: a little suffices"
    return Choice("weight decay", "0.01", why, source)


def _clip(seen: Look) -> Choice:
    if seen.recurrent or seen.attention:
        which = "recurrence" if seen.recurrent else "attention"
        why = f"with {which} a single batch can have a gradient many times the usual"
        return Choice("clip norm", "1.0", why, "Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063")
    why = "no recurrence and no attention: gradients seldom explode"
    return Choice("clip norm", "none", why, "Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063")


def _also(optimizer: str, seen: Look) -> str:
    if seen.convolutions:
        return "nesterov: tuned, it often ends better on convolutions (Wilson et al. 2017, arXiv:1705.08292)"
    if seen.matrices == 1 and not seen.embedding_share:
        return "nesterov, lbfgs: the model is linear in its weights, and the loss perhaps convex"
    if optimizer != "adamw":
        return "adamw: the usual choice, to see what this one is worth"
    return "nesterov, nadamw"
