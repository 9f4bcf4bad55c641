"""The survey: what it measures is what the measurements give, and whatever happens it keeps what it has."""

import dataclasses
import importlib
import json
from collections.abc import Callable
from itertools import count

import pytest
import torch
from torch import Tensor, nn

from tests.landscape.known import quadratic, rotated, stopping
from thalweg.errors import UserError
from thalweg.landscape import Interrupted, Surface, Trajectory, eigenpairs, limit, plane
from thalweg.landscape import menu as menus
from thalweg.landscape.budget import Option
from thalweg.landscape.menu import MENUS
from thalweg.landscape.progress import progress
from thalweg.landscape.survey import MEASUREMENTS, Survey, survey

SURVEY = importlib.import_module("thalweg.landscape.survey")  # its name is the function's too
Menu = Callable[[menus.Given], list[Option] | str]
SPECTRUM = [-0.5, 0.1, 1.0, 2.0, 50.0]


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have surveys make these measurements alone, the given functions in the place of some."""

    def choose(*names: str, **others: Menu) -> None:
        chosen = {name: {**MENUS, **others}[name] for name in MENUS if name in {*names, *others}}
        monkeypatch.setattr(SURVEY, "MENUS", chosen)

    return choose


def regression(samples: int = 60) -> tuple[nn.Module, Surface, Tensor]:
    """Least squares at a point off the minimum, and its Hessian 2 XᵀX / n."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(samples, 4, generator=generator) * torch.tensor([1.0, 2.0, 3.0, 4.0])
    y = torch.randn(samples, 1, generator=generator)
    model = nn.Linear(4, 1, bias=False)
    data = list(zip(x.split(20), y.split(20), strict=True))
    surface = Surface(model, lambda m, batch: (m(batch[0]) - batch[1]).square().mean(), data)
    return model, surface, 2 * x.T @ x / samples


def bits(module: nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in module.state_dict().items()}


pytestmark = pytest.mark.usefixtures("timeless")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of few points: their cost is not what these tests are about."""
    monkeypatch.setattr(menus, "_GRIDS", (5,))


def test_all_measurements_of_a_regression() -> None:
    model, surface, hessian = regression()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    path = Trajectory(model, every=1)
    for _ in range(6):
        optimizer.zero_grad()
        (surface.batch_loss(next(iter(surface.data))) + 0.1 * model.weight.square().sum()).backward()
        optimizer.step()
        path()
    model.zero_grad()
    before, random = bits(model), torch.get_rng_state()

    found = survey(surface, 20, optimizer, trajectory=path, task="line", point="here", facts={"of": "mine"})

    assert (found.skipped, found.complete, found.task, found.facts["of"]) == ({}, True, "line", "mine")
    assert sorted(found.seconds) == sorted(MENUS)
    assert found.gradient.passed
    largest = float(torch.linalg.eigvalsh(hessian.double())[-1])
    assert float(found.curvature.values[-1]) == pytest.approx(largest, rel=1e-4)
    assert found.sharpness.value == pytest.approx(largest, rel=0.02)
    assert found.sharpness.threshold == pytest.approx(200)
    assert found.trace.value == pytest.approx(float(hessian.trace()), rel=1e-4)
    assert found.condition.number == pytest.approx(float(torch.linalg.cond(hessian.double())), rel=1e-3)
    assert found.plane.center == found.path.center == found.flat.center == found.facts["loss"]
    assert found.facts["loss"] == pytest.approx(surface.value())
    assert (found.facts["samples"], found.facts["batches"], found.facts["parameters"]) == (60, 3, 4)

    assert bits(model) == before
    assert torch.equal(torch.get_rng_state(), random)
    assert model.weight.grad is None
    text = found.describe()
    assert all(f"\n  {label} " in f"\n{text}" for label in ("point", *MEASUREMENTS.values()))
    assert max(map(len, text.splitlines())) <= 100
    content = json.loads(json.dumps(found.to_dict()))
    assert content["curvature"]["values"] == found.curvature.values.tolist()
    assert {field.name for field in dataclasses.fields(Survey)} | {"format"} == set(content)


def test_the_names_are_those_of_the_result() -> None:
    fields = {field.name for field in dataclasses.fields(Survey)}
    assert set(MEASUREMENTS) == set(MENUS)
    assert set(MENUS) <= fields


def test_without_an_optimizer_or_a_path_the_reasons_are_given(only) -> None:
    only("sharpness", "lr", "path", "trace")
    found = survey(quadratic(rotated(SPECTRUM)), 5)
    assert set(found.skipped) == {"sharpness", "lr", "path"}
    assert found.trace.value == pytest.approx(sum(SPECTRUM), rel=1e-4)
    assert "not measured: no training was watched" in found.describe()
    assert found.complete


def test_a_saddle_is_judged_by_the_curvature_that_was_measured(only) -> None:
    only("curvature", "saddle", "condition")
    found = survey(quadratic(rotated(SPECTRUM)), 5)
    assert found.curvature.values.tolist() == pytest.approx(SPECTRUM, abs=1e-6)
    assert found.saddle.kind == "saddle"
    assert (found.condition.smallest, found.condition.number) == (pytest.approx(-0.5), None)
    only("saddle", "condition", curvature=lambda given: "not today")
    assert set(survey(quadratic(rotated(SPECTRUM)), 5).skipped) == {"curvature", "saddle", "condition"}


def test_every_measurement_finds_the_model_at_the_point(only) -> None:
    """A slice moves the model about; what comes after it must not see that."""
    only("flat", "plane")
    start = torch.ones(5, dtype=torch.float64)
    matrix = rotated([1.0, 2.0, 3.0, 4.0, 5.0])
    found = survey(quadratic(matrix, start), 5)
    assert found.flat.center == found.plane.center == pytest.approx(float(start @ matrix @ start / 2))


def failing(_: menus.Given) -> list[Option]:
    def measure() -> None:
        raise UserError("it cannot be measured here")

    return [Option(0.0, measure)]


def test_a_failure_is_a_reason_and_not_the_end(only) -> None:
    only("trace", "noise", saddle=failing)
    found = survey(quadratic(rotated(SPECTRUM)), 5)
    assert found.skipped["saddle"] == "it cannot be measured here"
    assert "batch" in found.skipped["noise"] or "samples" in found.skipped["noise"]
    assert found.trace is not None


def test_what_does_not_fit_says_how_much_longer_a_budget_has_to_be(only) -> None:
    only("trace", plane=lambda _: [Option(42.0, int)])
    found = survey(quadratic(rotated(SPECTRUM)), 5)
    assert found.skipped["plane"] == "it takes about 42 s, which were not left; a budget 40 s longer would do"
    assert found.trace is not None


def endless(_: menus.Given) -> list[Option]:
    def measure() -> None:
        with progress("for ever", 1) as advance:
            done = 0
            try:
                while True:
                    done += 1
                    advance()
            except KeyboardInterrupt as stop:
                raise Interrupted(done) from stop

    return [Option(0.01, measure)]


def test_a_measurement_that_takes_longer_than_thought_is_ended_and_the_next_one_made(
    only, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit, "perf_counter", count(step=0.25).__next__)
    only("trace", curvature=endless)
    found = survey(quadratic(rotated(SPECTRUM)), 1)
    assert found.curvature == 5  # what it had after a second, which is four quarters
    assert found.complete
    assert "curvature" not in found.skipped
    assert "trace" in found.seconds


def pressed(_: menus.Given) -> list[Option]:
    def measure() -> None:
        raise KeyboardInterrupt

    return [Option(0.0, measure)]


def half(_: menus.Given) -> list[Option]:
    def measure() -> None:
        raise Interrupted("half of it")

    return [Option(0.0, measure)]


@pytest.mark.parametrize(("menu", "kept"), [(pressed, None), (half, "half of it")])
def test_ctrl_c_keeps_what_was_measured(only, menu: Menu, kept: str | None) -> None:
    only("curvature", "trace", sharpness=menu)
    surface = quadratic(rotated(SPECTRUM))
    before = bits(surface.model)
    with pytest.raises(KeyboardInterrupt) as stopped:
        survey(surface, 5)
    found = stopped.value.partial
    assert isinstance(found, Survey)
    assert not found.complete
    assert found.curvature.values.tolist() == pytest.approx(SPECTRUM, abs=1e-6)
    assert found.sharpness == kept
    assert found.skipped["trace"] == "stopped before it"
    assert ("sharpness" in found.skipped) == (kept is None)
    assert bits(surface.model) == before


@pytest.mark.parametrize("last", ["trace", "spectrum"])
def test_the_picture_is_there_before_what_takes_long(only, last: str) -> None:
    only("plane", **{last: pressed})
    with pytest.raises(Interrupted) as stopped:
        survey(regression()[1], 5)
    assert stopped.value.partial.plane is not None


def test_ctrl_c_during_the_contrast_is_one(only, monkeypatch: pytest.MonkeyPatch) -> None:
    only("trace")
    _, surface, _ = regression()
    other, start, _ = regression()

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(menus, "eigenpairs", stop)
    with pytest.raises(Interrupted) as stopped:
        survey(surface, 10, start=(start, torch.optim.SGD(other.parameters(), lr=1.0)))
    assert stopped.value.partial.trace is not None
    assert stopped.value.partial.facts["start_loss"] == pytest.approx(start.value())


def test_eigenpairs_that_are_stopped_keep_those_that_had_converged() -> None:
    matrix = rotated([-30.0, *torch.linspace(0.9, 1.1, 40).tolist(), 50.0])
    with pytest.raises(Interrupted) as stopped:
        eigenpairs(stopping(matrix, 12), k=3, which="both")
    found = stopped.value.partial
    assert found.products == 11
    assert found.values.tolist()[0] == pytest.approx(-30, rel=1e-3)
    assert found.values.tolist()[-1] == pytest.approx(50, rel=1e-3)
    assert (found.outermost, found.converged) == (True, False)
    vectors = found.vectors[:, [0, -1]]
    assert torch.allclose(matrix @ vectors, vectors * torch.tensor([-30.0, 50.0]), atol=1e-2)
    with pytest.raises(KeyboardInterrupt) as at_once:
        eigenpairs(stopping(matrix, 1), k=3, which="both")
    assert not isinstance(at_once.value, Interrupted)


@pytest.mark.parametrize(("missing", "side"), [(None, 9), ((3, 4), 5), ((4, 4), 0)])
def test_of_a_slice_that_was_stopped_the_whole_part_is_kept(
    only, missing: tuple[int, int], side: int
) -> None:
    start = torch.ones(5, dtype=torch.float64)

    def menu(given: menus.Given) -> list[Option]:
        def measure() -> None:
            whole = plane(given.surface, points=9)
            if missing:
                whole.losses[missing] = torch.nan
            raise Interrupted(whole)

        return [Option(0.0, measure)]

    only(plane=menu)
    with pytest.raises(Interrupted) as stopped:
        survey(quadratic(rotated(SPECTRUM), start), 5)
    found = stopped.value.partial
    if side:
        assert (len(found.plane.x), len(found.plane.y)) == found.plane.losses.shape == (side, side)
        middle = found.plane.losses[side // 2, side // 2]
        assert float(middle) == pytest.approx(found.plane.center)
        assert found.plane.x[side // 2] == 0
    else:
        assert found.plane is None
        assert "without a result" in found.skipped["plane"]


def test_the_beginning_is_a_contrast_and_where_learning_rates_are_tried(only) -> None:
    only("lr", "noise")
    model, surface, hessian = regression()
    with torch.no_grad():
        model.weight.zero_()
    other, start, _ = regression()
    with torch.no_grad():
        other.weight.fill_(1.0)
    optimizer = torch.optim.SGD(other.parameters(), lr=1.0)
    batches = Surface(model, surface.terms, [batch for batch in surface.data for _ in range(3)])
    found = survey(surface, 10, start=(start, optimizer), batches=batches)
    assert found.facts["start_loss"] == pytest.approx(start.value())
    largest = float(torch.linalg.eigvalsh(hessian.double())[-1])
    assert found.facts["start_largest"] == pytest.approx(largest, rel=0.02)
    assert f"a new model of this kind has {start.value():.4g}" in found.describe().replace("\n", " ").replace(
        "  ", ""
    ).replace(" " * 15, " ")
    assert float(found.lr.losses[:, 0].mean()) == pytest.approx(start.value(), rel=1.0)
    assert found.noise.small_batch == 20
    assert found.noise.large_batch == 180
    assert other.training
    assert "learning rate  Tried from the beginning of a training with SGD: " in found.describe()


@pytest.mark.parametrize("budget", [0.5, -1, float("nan"), float("inf")])
def test_a_budget_that_is_none_is_refused(budget: float) -> None:
    with pytest.raises(UserError, match=r"survey: the budget is .* at least 1 s"):
        survey(quadratic(rotated(SPECTRUM)), budget)


def test_a_loss_that_is_nan_is_refused_at_once() -> None:
    surface = quadratic(rotated(SPECTRUM), torch.full((5,), torch.nan, dtype=torch.float64))
    with pytest.raises(UserError, match="the loss is nan"):
        survey(surface, 5)


def test_a_budget_in_words_is_refused() -> None:
    with pytest.raises(UserError, match="survey: the budget is '60s'; give seconds"):
        survey(quadratic(rotated(SPECTRUM)), "60s")


def test_an_error_of_the_model_is_a_reason_and_not_the_end(only) -> None:
    def broken(_: menus.Given) -> list[Option]:
        def measure() -> None:
            raise RuntimeError("out of memory\nand much more")

        return [Option(0.0, measure)]

    only("trace", saddle=broken)
    found = survey(quadratic(rotated(SPECTRUM)), 5)
    assert found.skipped["saddle"] == "RuntimeError: out of memory"
    assert found.trace is not None
