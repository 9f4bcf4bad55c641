import { h, write } from "./dom.js";
import { selectOf } from "./fields.js";
import { iconButton, setIcon } from "./icons.js";
import { parse, whole } from "./numbers.js";

const SPEEDS = [
  ["0.25", "¼×"],
  ["0.5", "½×"],
  ["1", "1×"],
  ["2", "2×"],
  ["4", "4×"],
];
const MOST_STEPS = 10_000;

/**
 * Play, pause, step and scrub.
 *
 * @param {import("../app.js").App} app
 * @returns {HTMLElement}
 */
export function transport(app) {
  const play = iconButton("playSolid", "Play", () => (app.playing ? app.pause() : app.play()), {
    class: "go",
  });
  const back = iconButton("back", "Step back", () => stepBy(app, -1));
  const forward = iconButton("forward", "Step forward", () => stepBy(app, 1));
  const scrub = h("input", {
    type: "range",
    min: 0,
    step: 1,
    class: "scrub",
    "aria-label": "Step",
    "data-field": "scrub",
  });
  scrub.addEventListener("input", () => {
    app.pause();
    app.setStep(Number(scrub.value));
  });
  const at = h("output", { class: "at", "aria-live": "off" });
  const steps = stepsField(app);
  const speed = selectOf(SPEEDS, {
    "aria-label": "Speed",
    class: "speed",
    onchange: () => app.set({ speed: Number(speed.value) }),
  });
  const onStep = () => {
    const step = Math.round(app.step);
    scrub.max = String(app.state.steps);
    scrub.value = String(step);
    scrub.style.setProperty("--share", String(app.step / app.state.steps));
    scrub.setAttribute("aria-valuetext", `step ${step} of ${app.state.steps}`);
    write(at, whole(step));
  };
  const onPlaying = () => {
    const name = app.playing ? "Pause" : "Play";
    setIcon(play, app.playing ? "pauseSolid" : "playSolid");
    play.setAttribute("aria-label", name);
    play.title = `${name} (Space)`;
  };
  const onState = () => {
    speed.value = String(app.state.speed);
    steps.update();
  };
  app.on("step", onStep);
  app.on("playing", onPlaying);
  app.on("state", onState);
  for (const update of [onStep, onPlaying, onState]) update();
  const count = h("div", { class: "count" }, at, h("span", null, "/"), steps.element);
  return h(
    "div",
    { class: "transport", role: "group", "aria-label": "Playback" },
    play,
    back,
    forward,
    scrub,
    count,
    speed,
  );
}

/** Moves the playhead by whole steps. */
export function stepBy(app, steps) {
  app.pause();
  app.setStep(Math.round(app.step) + steps);
}

function stepsField(app) {
  const element = h("input", {
    type: "text",
    inputmode: "numeric",
    class: "number steps",
    "aria-label": "Number of steps",
    "data-field": "steps",
    title: "How many steps the race has",
  });
  const update = () => {
    element.removeAttribute("aria-invalid");
    element.value = String(app.state.steps);
  };
  element.addEventListener("change", () => {
    const value = parse(element.value);
    if (value === null || value < 1 || value > MOST_STEPS) element.setAttribute("aria-invalid", "true");
    else app.set({ steps: Math.round(value), playhead: null });
  });
  return { element, update };
}
