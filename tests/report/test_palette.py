"""Colours that everyone can tell apart and read, in both themes."""

import itertools

import numpy as np
import pytest

from thalweg.report.palette import (
    BASELINE,
    DARK,
    DARK_HUES,
    LIGHT,
    LIGHT_HUES,
    OTHER,
    css,
    css_class,
    is_dashed,
    readable,
    styles_of,
)

THEMES = [(LIGHT, LIGHT_HUES), (DARK, DARK_HUES)]
# Machado, Oliveira and Fernandes 2009: full protanopia, deuteranopia, tritanopia, in linear RGB.
EYES = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def test_contrast_knows_black_on_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize(("theme", "hues"), THEMES, ids=["light", "dark"])
def test_text_and_marks_have_contrast(theme: dict[str, str], hues: tuple[str, ...]) -> None:
    for name in ("ink", "soft", "accent", "bad"):
        for ground in ("page", "card", "faint"):
            assert contrast(theme[name], theme[ground]) >= 4.5, (name, ground)
    for hue in (*hues, theme["base"], theme["other"]):
        assert contrast(hue, theme["page"]) >= 3


@pytest.mark.parametrize(("theme", "hues"), THEMES, ids=["light", "dark"])
def test_text_in_a_hue_has_the_contrast_of_text(theme: dict[str, str], hues: tuple[str, ...]) -> None:
    for hue in (*hues, theme["base"]):
        shown = readable(hue, theme["page"], theme["ink"])
        assert contrast(shown, theme["page"]) >= 4.5
        assert (shown == hue) == (contrast(hue, theme["page"]) >= 4.5)
        assert f":{shown};" in css()


@pytest.mark.parametrize(("theme", "hues"), THEMES, ids=["light", "dark"])
@pytest.mark.parametrize("eye", EYES)
def test_hues_stay_apart_for_every_eye(eye: str, theme: dict[str, str], hues: tuple[str, ...]) -> None:
    seen = [TO_LAB @ np.cbrt(TO_LMS @ np.clip(EYES[eye] @ linear(hue), 0, 1)) for hue in hues]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) >= 0.09


def test_of_many_optimizers_finalists_and_leaders_have_a_hue_each_and_the_others_grey() -> None:
    names = [f"o{i}" for i in range(20)]
    leaders = names[::-1]
    found = styles_of(names, leaders, 3)
    assert [found[name] for name in leaders[:7]] == list(range(7))
    assert {found[name] for name in leaders[7:]} == {OTHER}
    assert [styles_of(names, leaders, 9)[name] for name in leaders[:10]] == [*range(9), OTHER]
    assert styles_of(names[:7], leaders, 2) == {name: i for i, name in enumerate(names[:7])}
    assert css_class(OTHER) == "co"


def test_an_optimizer_has_one_class_and_later_ones_another_mark() -> None:
    assert css_class(BASELINE) == "cb"
    assert [css_class(i) for i in (0, 7)] == ["c0", "c0"]
    assert [is_dashed(i) for i in (0, 6, 7)] == [False, False, True]
    assert all(f".{css_class(i)}{{" in css() for i in range(-1, 7))
