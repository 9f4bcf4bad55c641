import { DARK, DARK_HUES, LIGHT, LIGHT_HUES } from "../generated/palette.js";
import { channels, linear, mix } from "../views/colour.js";

/** Racers beyond the hues have them again, dashed. */
const RACERS = 10;
const SOLID = [];
const DASHED = [6, 4];
/** Where notebooks say which theme they are in. */
const SAID = ["data-jp-theme-light", "data-vscode-theme-kind", "data-theme"];

/**
 * Every colour of a theme, as the views use them.
 *
 * @param {boolean} dark
 */
function colorsOf(dark) {
  const theme = dark ? DARK : LIGHT;
  const hues = dark ? DARK_HUES : LIGHT_HUES;
  const ten = Array.from({ length: RACERS }, (_, i) => i);
  return {
    ...theme,
    dark,
    hues: ten.map((i) => hues[i % hues.length]),
    texts: ten.map((i) => readable(hues[i % hues.length], theme)),
    dashes: ten.map((i) => (i < hues.length ? SOLID : DASHED)),
  };
}

function luminance(colour) {
  const [red, green, blue] = channels(colour).map(linear);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** A hue for text: mixed with as little ink as gives it a contrast of 4.5 with the page. */
function readable(hue, { card, ink }) {
  const ground = luminance(card);
  for (let share = 0; share < 1; share += 0.05) {
    const text = mix(hue, ink, share);
    const [low, high] = [luminance(text), ground].sort((a, b) => a - b);
    if ((high + 0.05) / (low + 0.05) >= 4.5) return text;
  }
  return ink;
}

/**
 * Whether the place the page is in is dark: what Jupyter, VS Code or marimo say of themselves, or the
 * system's wish.
 */
function darkAround() {
  const { jpThemeLight, vscodeThemeKind, theme } = document.body.dataset;
  if (jpThemeLight) return jpThemeLight === "false";
  if (vscodeThemeKind) return /dark|high-contrast$/.test(vscodeThemeKind);
  if (theme === "light" || theme === "dark") return theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/**
 * Gives the app its colours and keeps them as the theme is set or the system changes.
 *
 * @param {import("../app.js").App} app
 * @param {HTMLElement} page gets the colours as CSS variables
 * @returns {() => void} stop
 */
export function followTheme(app, page) {
  let shown = null;
  const apply = () => {
    const dark = app.state.theme ? app.state.theme === "dark" : darkAround();
    if (dark === shown) return;
    shown = dark;
    const colors = colorsOf(dark);
    page.dataset.theme = dark ? "dark" : "light";
    for (const name of ["page", "card", "ink", "soft", "line", "faint", "accent", "bad"]) {
      page.style.setProperty(`--${name}`, colors[name]);
    }
    colors.hues.forEach((hue, i) => page.style.setProperty(`--h${i}`, hue));
    colors.texts.forEach((text, i) => page.style.setProperty(`--t${i}`, text));
    app.setColors(colors);
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", apply);
  const notebook = new MutationObserver(apply);
  notebook.observe(document.body, { attributeFilter: SAID });
  const off = app.on("state", apply);
  apply();
  return () => (system.removeEventListener("change", apply), notebook.disconnect(), off());
}
