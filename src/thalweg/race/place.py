"""The place on a task's loss surface that is measured: the end of a training, or a checkpoint."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from thalweg.errors import CheckpointWarning, UserError
from thalweg.landscape.data import Batches
from thalweg.landscape.progress import progress
from thalweg.landscape.surface import Surface
from thalweg.landscape.trajectory import Trajectory
from thalweg.race import weights
from thalweg.race.advice import advise
from thalweg.race.recipe import Recipe, number
from thalweg.race.run import blame, returned_process, seed_all
from thalweg.race.saved import SavedRecipe
from thalweg.race.training import Training, digest
from thalweg.tasks import Task, batches

SNAPSHOTS = 50  # of a training, at most: enough to draw its path, and little memory
SAMPLES = (2000, 1500, 1000, 750, 500, 250, 125, 64, 32, 16)  # measured on: the most that a budget allows
_PRODUCTS = 300  # with the Hessian, that a budget must have room for
_GRADIENTS = 3  # that a product takes as long as
MOST_BATCHES = 128  # of the training, in which the noise and the learning-rate range test are measured
_TRIAL = 8  # steps that are timed before a short training


_Step = Callable[[batches.Batch, bool], tuple[Tensor, int, float]]


@dataclass(frozen=True)
class Place:
    """A model where it is to be measured.

    Attributes:
        task: what it was trained for.
        model: on its device, in evaluation mode.
        device: this device.
        optimizer: as the training left it, but at the recipe's highest learning rate; None if unknown.
        recipe: what it was trained with; the advised one if that is unknown.
        words: which place this is.
        trajectory: the path to it; None if it was not walked here.
        facts: the same in figures.
    """

    task: Task
    model: nn.Module
    device: str
    optimizer: torch.optim.Optimizer | None
    recipe: Recipe
    words: str
    trajectory: Trajectory | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def surface(self, samples: int | None, seconds: float, seed: int = 0) -> Surface:
        """The loss over a random part of the training data, the same for a seed.

        Args:
            samples: how many; by default the most of `SAMPLES` with which there is time for some measuring,
                but a training batch at least.
            seconds: that time.
            seed: draws the samples.
        """
        many = samples or self._affordable(seconds, seed)
        return Surface(self.model, self.task.loss, data(self.task, many, self.device, seed), seed=seed)

    def _affordable(self, seconds: float, seed: int) -> int:
        batch = data(self.task, batch_size(self.task), self.device, seed)
        trial = Surface(self.model, self.task.loss, batch)
        clock = [perf_counter()]
        for _ in range(4):  # the first warms up
            trial.gradient()
            clock.append(perf_counter())
        one = _GRADIENTS * min(b - a for a, b in pairwise(clock[1:])) / trial.samples
        fitting = [many for many in SAMPLES if one * many * _PRODUCTS <= seconds]
        return max([*fitting[:1], trial.samples])

    def start(self, seed: int = 0) -> tuple[Surface, torch.optim.Optimizer]:
        """A new model in training mode over its first batches, and its optimizer: where a training begins."""
        with batches.undisturbed(torch.device(self.device)):
            seed_all(seed)
            model = self.task.model().to(self.device).train()
        optimizer, _ = self.recipe.build(list(model.parameters()), 1)
        for group in optimizer.param_groups:
            group["lr"] = self.recipe.lr  # a warm-up would have it begin lower
        return Surface(model, self.task.loss, self.first_batches(seed), seed=seed), optimizer

    def in_batches(self, seed: int = 0) -> Surface:
        """The model here over the first batches of a training."""
        return Surface(self.model, self.task.loss, self.first_batches(seed), seed=seed)

    def first_batches(self, seed: int) -> Batches:
        """As many as an epoch has, or `MOST_BATCHES`."""
        many = min(self.task.steps_per_epoch, MOST_BATCHES)
        with batches.undisturbed(torch.device(self.device)):
            seed_all(seed)
            return Batches(islice(self.task.train_batches(seed, self.device), many))


def check_recipe(saved: SavedRecipe, task: Task) -> None:
    """Refuse a recipe that was found for something else.

    Raises:
        UserError: the recipe is of another task, or of the same with other data.
    """
    if task.hash != saved.task["hash"]:
        raise UserError(
            f"the recipe was found for {saved.task['name']}, and this is another task or other data; "
            "give that task, or leave --recipe away"
        )


def trained(task: Task, saved: SavedRecipe, device: str, seed: int | None = None) -> Place:
    """Train with a recipe, as ``thalweg train`` does with it, and stay where it ends.

    Args:
        task: what to train.
        saved: the recipe; a race's brings its seed, steps and threads, so that the run is the race's own.
        device: where to train.
        seed: another seed than the race's.

    Raises:
        UserError: the training diverged or failed.
    """
    proof = saved.proof
    steps = proof.steps if proof else saved.steps
    begin = seed if seed is not None else proof.seed if proof else 0
    threads = proof.threads if proof else torch.get_num_threads()
    training, trajectory = _train(task, saved.recipe, begin, steps, device, threads)
    again = proof is not None and proof.figures.get("weights") == digest(training.model)
    words = f"the end of {_steps(steps)} with {saved.recipe.describe()}, seed {begin}"
    words += ", the very weights of the race's run" if again else ""
    return _ended(training, trajectory, saved.recipe, words, {"steps": steps, "seed": begin})


def briefly(task: Task, device: str, seed: int, seconds: float) -> Place:
    """Train with the advisor's recipe for about so many seconds, at most a full run, and stay there."""
    recipe = advise(task, device).recipe
    with returned_process():
        steps = _affordable(task, recipe, device, seconds)
    training, trajectory = _train(task, recipe, seed, steps, device, torch.get_num_threads())
    length = "full" if steps == task.full_steps else "short"
    words = (
        f"the end of a {length} training, {_steps(steps)} with the advised {recipe.describe()}, seed {seed}"
    )
    return _ended(training, trajectory, recipe, words, {"steps": steps, "seed": seed})


def _affordable(task: Task, recipe: Recipe, device: str, seconds: float) -> int:
    """How many steps fit: a few are timed, after one that compiles."""
    began = perf_counter()
    trial = Training(task, recipe, 0, _TRIAL + 1, device)
    trial.advance(1)
    compiled = perf_counter()
    trial.advance(_TRIAL + 1)
    step = (perf_counter() - compiled) / _TRIAL
    left = seconds - (perf_counter() - began)
    return max(1, min(task.full_steps, int(left / step)))


def _train(
    task: Task, recipe: Recipe, seed: int, steps: int, device: str, threads: int
) -> tuple[Training, Trajectory]:
    """Train as `thalweg.race.run.fit` does, bit for bit, and remember the path."""
    with returned_process(), progress("training", steps) as advance:
        torch.set_num_threads(threads)
        seed_all(seed)
        try:
            training = Training(task, recipe, seed, steps, device)
            trajectory = Trajectory(training.model, every=max(1, steps // SNAPSHOTS))
            step: _Step = training.step
            training.step = _watched(step, trajectory, advance)  # type: ignore[assignment]
            training.to_the_end()
        except FloatingPointError as error:
            raise UserError(f"the training diverged: {error}") from error
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"the training failed: {blame(error)}") from error
    return training, trajectory


def _watched(step: _Step, trajectory: Trajectory, advance: Callable[[], None]) -> _Step:
    def watched(batch: batches.Batch, timed: bool) -> tuple[Tensor, int, float]:
        result = step(batch, timed)
        trajectory()
        for _ in range(result[1]):
            advance()
        return result

    return watched


def _ended(
    training: Training, trajectory: Trajectory, recipe: Recipe, words: str, facts: dict[str, Any]
) -> Place:
    """The place where a training ended, measured at the recipe's highest learning rate."""
    last, task = training.curve[-1], training.task
    words += f"; valid {task.metric_name} {last.valid_metric:.4f}"
    words += "" if last.valid_metric == last.valid_loss else f", loss {last.valid_loss:.4f}"
    facts = {**facts, "valid_loss": last.valid_loss, "valid_metric": last.valid_metric}
    rates = {float(group["lr"]) for group in training.optimizer.param_groups}
    if rates != {recipe.lr}:
        words += (
            f". Its learning rate had come down to {number(max(rates))}: stability is judged at the highest"
        )
    for group in training.optimizer.param_groups:
        group["lr"] = recipe.lr
    model = training.model.eval()
    facts |= _about(recipe)
    return Place(task, model, training.device, training.optimizer, recipe, words, trajectory, facts)


def loaded(task: Task, path: Path, saved: SavedRecipe | None, device: str) -> Place:
    """A checkpoint's place, with the optimizer of a recipe where there is one.

    Raises:
        UserError: the file cannot be read or does not fit the task's model, or the recipe's optimizer.
    """
    values, state = weights.read(path)
    with batches.undisturbed(torch.device(device)):
        model = task.model().to(device).eval()
    weights.fill(model, values, path, task.name)
    words = f"the checkpoint {path}"
    if saved is None:
        unused = "; its optimizer's state needs --recipe to be of use" if state is not None else ""
        return Place(task, model, device, None, advise(task, device).recipe, words + unused)
    optimizer, _ = saved.recipe.build(list(model.parameters()), saved.steps)
    words += f", with the optimizer of {saved.recipe.describe()}"
    if state is not None:
        _resume(optimizer, state, path)
        words += " and its state"
    for group in optimizer.param_groups:
        group["lr"] = saved.recipe.lr
    return Place(task, model, device, optimizer, saved.recipe, words, None, _about(saved.recipe))


def _resume(optimizer: torch.optim.Optimizer, state: Any, path: Path) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CheckpointWarning)
            optimizer.load_state_dict(dict(state))
    except (UserError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"the optimizer's state in {path} is not of this recipe's optimizer: {error}"
        ) from error


def _steps(number: int) -> str:
    return f"{number:,} step{'s' * (number != 1)}"


def _about(recipe: Recipe) -> dict[str, Any]:
    return {"optimizer": recipe.optimizer, "lr": recipe.lr, "recipe": recipe.describe()}


def data(task: Task, count: int, device: str, seed: int) -> Batches:
    """A random part of the training data, always the same for a seed."""
    generator = torch.Generator().manual_seed(batches.stream_seed(seed))
    rows = torch.randperm(task.size("train"), generator=generator)[:count]
    size = batch_size(task)  # larger ones may not fit the memory
    with batches.undisturbed(torch.device(device)):
        seed_all(seed)  # for what a dataset draws itself
        return Batches(batches.evaluation(_part(task.train, rows, size), size, torch.device(device)))


def batch_size(task: Task) -> int:
    """Samples in a training batch."""
    own = task.train.batch_size if isinstance(task.train, DataLoader) else None
    return own or task.batch_size


def _part(whole: batches.Data, rows: Tensor, size: int) -> batches.Data:
    if isinstance(whole, tuple):
        return tuple(tensor[rows.to(tensor.device)] for tensor in whole)
    if isinstance(whole, DataLoader):
        return DataLoader(Subset(whole.dataset, rows.tolist()), size, collate_fn=whole.collate_fn)
    return Subset(whole, rows.tolist())
