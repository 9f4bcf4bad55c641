import dataclasses
import itertools
import math

import pytest
import torch
from torch import nn

from thalweg.race.recipe import Recipe
from thalweg.race.run import RunResult, fit, returned_process, run
from thalweg.race.training import Point, evaluation_steps
from thalweg.tasks import Task, load

ADAMW = Recipe("adamw", 1e-2, {"betas": (0.9, 0.999), "weight_decay": 0.1}, warmup=0.1, clip=1.0)
WALL = ("seconds", "step_ms", "optimizer_ms")


def without_times(result: RunResult) -> dict[str, object]:
    values = {name: value for name, value in vars(result).items() if name not in WALL}
    values["curve"] = [{k: v for k, v in point.items() if k != "seconds"} for point in result.curve]
    return values


@pytest.fixture
def task(tiny) -> Task:
    return load(tiny)


@pytest.fixture(autouse=True)
def _process():
    with returned_process():
        yield


def with_dropout(task: Task) -> Task:
    return dataclasses.replace(
        task, model=lambda: nn.Sequential(nn.Dropout(0.5), nn.Linear(12, 2)), source=""
    )


def test_the_same_call_gives_the_same_bits(task):
    task = with_dropout(task)
    first = run(task, ADAMW, 3, 60, test=True)
    torch.randn(5)  # whatever the generators did before
    second = run(task, ADAMW, 3, 60, test=True)
    assert first.status == "ok"
    assert without_times(first) == without_times(second)
    assert first.weights != run(task, ADAMW, 4, 60).weights


SHAPES = {
    "constant": lambda step: 1.0,
    "cosine": lambda step: step / 3 if step < 3 else (1 + math.cos(math.pi * (step - 3) / 27)) / 2,
}


@pytest.mark.parametrize("decay", SHAPES)
def test_it_is_what_a_plain_torch_loop_does(task, decay):
    warmup = 0.0 if decay == "constant" else 0.1
    recipe = Recipe("adamw", 1e-2, {"weight_decay": 0.1}, warmup, decay)
    model, result = fit(task, recipe, 5, 30, evals=3)
    torch.manual_seed(5)
    own = task.model()
    optimizer = torch.optim.AdamW(own.parameters(), lr=1e-2, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, SHAPES[decay])
    losses = []
    for _, batch in zip(range(30), task.train_batches(5, "cpu"), strict=False):
        optimizer.zero_grad()
        loss = task.loss(own, batch)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    torch.testing.assert_close(model.weight, own.weight, rtol=1e-4, atol=1e-6)
    assert [point["step"] for point in result.curve] == [10, 20, 30]
    means = [sum(losses[i : i + 10]) / 10 for i in (0, 10, 20)]
    assert [point["train_loss"] for point in result.curve] == pytest.approx(means, rel=1e-4)
    right = (own(task.valid[0]).argmax(1) == task.valid[1]).float().mean().item()
    assert result.valid_metric == pytest.approx(right, abs=0.006)


def test_recipes_are_paired_by_the_seed(task):
    """Whatever the recipe, equal seeds give the same initial weights and the same batches."""
    seen: dict[str, list[torch.Tensor]] = {}

    def recording(name):
        def loss(model, batch):
            if model.training:
                seen.setdefault(name, []).extend([batch[0].clone()])
                seen.setdefault(name + " start", []).append(model.weight.detach().clone())
            return task.loss(model, batch)

        return dataclasses.replace(task, loss=loss, source="")

    run(recording("adamw"), ADAMW, 1, 40)
    run(recording("sgd"), Recipe("sgd", 0.5, decay="linear"), 1, 40, evals=3)
    assert all(torch.equal(a, b) for a, b in zip(seen["adamw"], seen["sgd"], strict=True))
    assert torch.equal(seen["adamw start"][0], seen["sgd start"][0])
    assert not torch.equal(seen["adamw start"][-1], seen["sgd start"][-1])


def test_a_step_with_many_evaluations_uses_as_many_of_the_run(task):
    calls = []

    def counting(model, batch):
        if model.training:
            calls.append((batch[0].sum().item(), model.weight.detach().clone()))
        return task.loss(model, batch)

    counted = dataclasses.replace(task, loss=counting, source="")
    result = run(
        counted, Recipe("lbfgs", 1.0, {"max_iter": 5, "line_search_fn": "strong_wolfe"}), 1, 60, evals=3
    )
    assert result.status == "ok"
    assert 60 <= len(calls) < 60 + 6  # 5/4 of max_iter at most in a step
    assert [point["step"] for point in result.curve] == [20, 40, 60]
    batches = [batch for batch, _ in calls]
    assert len(set(batches)) == sum(a != b for a, b in itertools.pairwise(batches)) + 1 <= 30  # one a step
    once = run(counted, Recipe("nesterov_lookahead", 0.1), 1, 60, evals=3)
    assert once.status == "ok"
    assert len(calls) - len(batches) == 60
    assert once.optimizer_ms < once.step_ms


def test_products_with_the_hessian_are_counted(task):
    calls = []
    counted = dataclasses.replace(
        task, loss=lambda m, b: calls.append(m.training) or task.loss(m, b), source=""
    )
    result = run(counted, Recipe("newton_cg", 1.0, {"max_cg": 5}), 1, 60, evals=1)
    assert result.status == "ok"
    assert sum(calls) < 40  # the rest of the 60 are products


def test_passing_several_marks_in_one_step_repeats_the_point(task):
    result = run(task, Recipe("newton_cg", 1.0, {"max_cg": 100}), 1, 40, evals=20)
    assert [point["step"] for point in result.curve] == list(range(2, 41, 2))
    assert len({point["valid_loss"] for point in result.curve}) < 20
    assert math.isfinite(result.valid_loss)


def test_within_a_step_dropout_draws_the_same_mask(task):
    losses = []

    def recorded(model, batch):
        loss = task.loss(model, batch)
        if model.training:
            losses.append(loss.item())
        return loss

    still = Recipe("random_search", 1e-9, {"candidates": 3}, decay="constant")
    run(dataclasses.replace(with_dropout(task), loss=recorded), still, 1, 40)
    steps = [losses[i : i + 4] for i in range(0, 40, 4)]
    assert all(max(step) - min(step) < 1e-4 for step in steps)
    assert max(step[0] for step in steps) - min(step[0] for step in steps) > 1e-2


@pytest.mark.parametrize("name", ["lbfgs", "newton_cg", "random_search", "nesterov_lookahead"])
def test_closures_give_the_same_bits_twice(task, name):
    task = with_dropout(task)
    first, second = (run(task, Recipe.default(name), 3, 60) for _ in range(2))
    assert without_times(first) == without_times(second)


def test_looking_more_often_changes_nothing(task):
    task = with_dropout(task)
    assert run(task, ADAMW, 1, 50, evals=1).weights == run(task, ADAMW, 1, 50, evals=20, test=True).weights


def test_points_are_told_as_they_come(task):
    points: list[Point] = []
    result = run(task, ADAMW, 1, 40, evals=4, on_point=points.append)
    assert [dataclasses.asdict(point) for point in points] == result.curve
    seconds = [point.seconds for point in points]
    assert seconds == sorted(seconds)
    assert 0 < seconds[-1] < result.seconds


def test_test_data_is_for_those_who_ask(task):
    search, final = run(task, ADAMW, 1, 40), run(task, ADAMW, 1, 40, test=True)
    assert (search.test_metric, search.test_loss, search.train_metric) == (None, None, None)
    model, _ = fit(task, ADAMW, 1, 40)
    assert final.test_loss == pytest.approx(task.loss(model, task.test).item(), rel=1e-5)
    assert final.train_loss == pytest.approx(task.loss(model, task.train).item(), rel=1e-5)


def test_costs(task):
    result = run(task, ADAMW, 1, 40)
    assert 0 < result.optimizer_ms < result.step_ms
    assert 2 * 26 * 4 <= result.state_bytes <= 2 * 26 * 4 + 100  # two moments, and a counter a tensor
    assert run(task, Recipe("sgd", 0.1), 1, 40).state_bytes <= 100


def diverging(task: Task, at: int, value: float, calls: list[int]) -> Task:
    def loss(model, batch):
        if model.training:
            calls.append(1)
        return task.loss(model, batch) * (value if len(calls) > at else 1.0)

    return dataclasses.replace(task, loss=loss, source="")


@pytest.mark.parametrize(
    ("value", "words"), [(math.nan, "step 21: the training loss is nan"), (1e6, "at the start")]
)
def test_divergence_is_seen_and_ends_the_run(task, value, words):
    calls: list[int] = []
    result = run(diverging(task, 20, value, calls), Recipe("sgd", 0.01, decay="constant"), 1, 1000)
    assert result.status == "diverged"
    assert words in result.reason
    assert len(calls) < 60
    assert result.valid_metric is None
    assert result.seconds > 0


def test_a_learning_rate_beyond_reason_diverges(task):
    wide = dataclasses.replace(task, loss=lambda m, b: (m(b[0])[:, 0] - b[1]).square().mean(), source="")
    result = run(wide, Recipe("sgd", 5.0, decay="constant"), 1, 400)
    assert result.status == "diverged"
    assert "the training loss" in result.reason


def test_gradients_that_the_optimizer_refuses_are_a_divergence(task):
    class Cliff(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return g * math.inf

    steep = dataclasses.replace(task, loss=lambda m, b: Cliff.apply(task.loss(m, b)), source="")
    result = run(steep, ADAMW, 1, 40)
    assert result.status == "diverged"
    assert "step 1" in result.reason
    assert "weight" in result.reason or "bias" in result.reason or "parameter" in result.reason


def test_an_error_of_the_users_is_a_failure_with_its_place(tiny):
    trap = "    if model.training and torch.initial_seed() == 9:\n        raise KeyError('lost')\n"
    tiny.write_text(tiny.read_text().replace("    return nn.functional", f"{trap}    return nn.functional"))
    task = load(tiny)
    line = tiny.read_text().splitlines().index("        raise KeyError('lost')") + 1
    result = run(task, ADAMW, 9, 40)
    assert (result.status, result.weights, result.curve) == ("failed", "", [])
    assert f"tiny.py, line {line}" in result.reason
    assert "KeyError: 'lost'" in result.reason
    assert run(task, ADAMW, 8, 40).status == "ok"


def test_a_model_that_cannot_be_made_is_a_failure(task):
    result = run(dataclasses.replace(task, model=lambda: 1 / 0, source=""), ADAMW, 9, 40)
    assert result.status == "failed"
    assert "ZeroDivisionError" in result.reason


def test_evaluation_steps_end_at_the_end():
    for steps in (1, 2, 19, 20, 21, 937):
        marks = evaluation_steps(steps, 20)
        assert marks[-1] == steps
        assert marks == sorted(set(marks))
        assert marks[0] >= 1
        assert len(marks) == min(20, steps)


def test_a_process_is_given_back_as_it_was(task):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    with returned_process():
        run(task, ADAMW, 1, 40, threads=threads + 1)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
