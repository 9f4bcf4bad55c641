"""The colours: one per optimizer, the same in every chart, told apart by colour-blind readers too.

Seven hues were chosen so that every pair stays apart (OKLab distance at least 0.09) for normal, protan,
deutan and tritan vision, in both themes, at a contrast of at least 3 with the page. Text is written in
ink, or, at the end of a curve, in its hue darkened or lightened until it has a contrast of 4.5. Of many
optimizers the finalists and the leaders of the search have a hue each and the others share a grey; should
there be more than seven finalists, hues repeat with another mark and a dashed line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LIGHT: Final = {
    "page": "#ffffff",
    "card": "#f6f7f9",
    "ink": "#16191d",
    "soft": "#545b66",
    "line": "#d4d8de",
    "faint": "#eceef1",
    "accent": "#0e6656",
    "bad": "#b3261e",
    "base": "#6b7280",
    "other": "#8a919d",
}
DARK: Final = {
    "page": "#15181c",
    "card": "#1e2228",
    "ink": "#eceff3",
    "soft": "#a7afbb",
    "line": "#3a414b",
    "faint": "#272c33",
    "accent": "#5ed0b5",
    "bad": "#ff8a80",
    "base": "#98a1ad",
    "other": "#6f7883",
}
LIGHT_HUES: Final = ("#1746a2", "#c0440a", "#0a8a68", "#6a1f58", "#ad922a", "#17a0cf", "#7f63d4")
DARK_HUES: Final = ("#4a8ff8", "#ec6a1c", "#2ccb9b", "#b0809f", "#f7d452", "#a8ecfa", "#bdacfe")

TEXT_CONTRAST: Final = 4.5
BASELINE: Final = -1
"""The style of the baseline: grey, so that it never passes for a contender."""
OTHER: Final = -2
"""The style of the optimizers that are neither finalists nor leaders: a lighter grey."""
GREYS: Final = {BASELINE: "cb", OTHER: "co"}


def css_class(style: int) -> str:
    """The CSS class that sets the hue of a style (a number from 0, `BASELINE` or `OTHER`)."""
    return GREYS.get(style, f"c{style % len(LIGHT_HUES)}")


def styles_of(optimizers: Sequence[str], leaders: Sequence[str], finalists: int) -> dict[str, int]:
    """A style for each optimizer: by its place where hues suffice, else by its place among the leaders.

    >>> styles_of(["a", "b"], ["b", "a"], 1), styles_of(list("abcdefgh"), list("hgfedcba"), 1)["a"]
    ({'a': 0, 'b': 1}, -2)
    """
    if len(optimizers) <= len(LIGHT_HUES):
        return {name: i for i, name in enumerate(optimizers)}
    hued = leaders[: max(finalists, len(LIGHT_HUES))]
    return {name: hued.index(name) if name in hued else OTHER for name in optimizers}


def is_dashed(style: int) -> bool:
    """Whether a style is one of the second round of hues."""
    return style >= len(LIGHT_HUES)


def channels(colour: str) -> tuple[int, ...]:
    """Red, green and blue of a colour, from 0 to 255."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    parts = [v / 255 for v in channels(colour)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return sum(weight * v for weight, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def readable(hue: str, page: str, ink: str) -> str:
    """A hue for text: mixed with as little ink as gives it a contrast of 4.5 with the page."""
    for share in range(0, 101, 5):
        pairs = zip(channels(hue), channels(ink), strict=True)
        mixed = "#" + "".join(f"{round(a + (b - a) * share / 100):02x}" for a, b in pairs)
        low, high = sorted((luminance(mixed), luminance(page)))
        if (high + 0.05) / (low + 0.05) >= TEXT_CONTRAST:
            return mixed
    return ink


def variables(colours: dict[str, str], hues: tuple[str, ...]) -> str:
    """One theme as CSS custom properties: ``h`` of marks, ``t`` of text in the same hue."""
    texts = [readable(hue, colours["page"], colours["ink"]) for hue in hues]
    pairs = [*colours.items(), *((f"h{i}", hue) for i, hue in enumerate(hues))]
    pairs += [(f"t{i}", text) for i, text in enumerate(texts)]
    greys = {"tb": colours["base"], "to": colours["other"]}
    pairs += [(name, readable(grey, colours["page"], colours["ink"])) for name, grey in greys.items()]
    return "".join(f"--{name}:{value};" for name, value in pairs)


def css() -> str:
    """Both themes and the classes that use them; paper is always light."""
    light = f"color-scheme:light;{variables(LIGHT, LIGHT_HUES)}"
    dark = f"color-scheme:dark;{variables(DARK, DARK_HUES)}"
    classes = "".join(f".c{i}{{--c:var(--h{i});--t:var(--t{i})}}" for i in range(len(LIGHT_HUES)))
    return (
        f":root{{{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}"
        f"{classes}.cb{{--c:var(--base);--t:var(--tb)}}.co{{--c:var(--other);--t:var(--to)}}"
    )
