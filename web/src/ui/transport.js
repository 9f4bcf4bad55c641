import { h, write } from "./dom.js";
import { selectOf } from "./fields.js";
import { iconButton, rename, setIcon } from "./icons.js";
import { parse, whole } from "./numbers.js";
import { LIMITS } from "../state/state.js";

const SPEEDS = [
  ["0.25", "¼×"],
  ["0.5", "½×"],
  ["1", "1×"],
  ["2", "2×"],
  ["4", "4×"],
];

/**
 * Play, pause, step and scrub.
 *
 * @param {import("../app.js").App} app
 * @returns {HTMLElement}
 */
export function transport(app) {
  const at = h("output", { class: "at", "aria-live": "off" });
  const show = () => write(at, whole(Math.round(app.step)));
  app.on("step", show);
  show();
  const props = { class: "transport", role: "group", "aria-label": "Playback" };
  return h("div", props, [
    playButton(app),
    iconButton("back", "Step back", () => stepBy(app, -1)),
    iconButton("forward", "Step forward", () => stepBy(app, 1)),
    scrubber(app),
    h("div", { class: "count" }, at, h("span", null, "/"), stepsField(app)),
    speedChoice(app),
  ]);
}

/** Moves the playhead by whole steps. */
export function stepBy(app, steps) {
  app.pause();
  app.setStep(Math.round(app.step) + steps);
}

function playButton(app) {
  const button = iconButton("playSolid", "Play", () => (app.playing ? app.pause() : app.play()), {
    class: "go",
  });
  const update = () => {
    setIcon(button, app.playing ? "pauseSolid" : "playSolid");
    rename(button, app.playing ? "Pause" : "Play");
  };
  app.on("playing", update);
  update();
  return button;
}

function scrubber(app) {
  const slider = h("input", { type: "range", min: 0, step: 1, class: "scrub", "aria-label": "Step" });
  slider.addEventListener("input", () => {
    app.pause();
    app.setStep(Number(slider.value));
  });
  const update = () => {
    const { steps } = app.state;
    slider.max = String(steps);
    slider.value = String(Math.round(app.step));
    slider.style.setProperty("--share", String(app.step / steps));
    slider.setAttribute("aria-valuetext", `step ${Math.round(app.step)} of ${steps}`);
  };
  app.on("step", update);
  update();
  return slider;
}

function stepsField(app) {
  const title = "How many steps the race has";
  const props = {
    type: "text",
    inputmode: "numeric",
    class: "number steps",
    "aria-label": "Number of steps",
    title,
  };
  const input = h("input", props);
  const problem = h("span", { class: "wanted", role: "status" });
  const refuse = (wrong) => {
    input.setAttribute("aria-invalid", String(wrong));
    problem.hidden = !wrong;
    write(problem, wrong ? `A whole number from 1 to ${whole(LIMITS.steps)}, please.` : "");
  };
  const update = () => {
    refuse(false);
    input.value = String(app.state.steps);
  };
  input.addEventListener("change", () => {
    const value = parse(input.value, true);
    const fits = value !== null && value >= 1 && value <= LIMITS.steps;
    if (fits) app.set({ steps: Math.round(value), playhead: null });
    else refuse(true);
  });
  app.on("state", update);
  update();
  return [input, problem];
}

function speedChoice(app) {
  const change = () => app.set({ speed: Number(select.value) });
  const select = selectOf(SPEEDS, { "aria-label": "Speed", class: "speed", onchange: change });
  const update = () => {
    const speed = String(app.state.speed);
    const listed = [...select.options].some(({ value }) => value === speed);
    if (!listed) select.append(h("option", { value: speed }, `${speed}×`)); // a link may have any
    select.value = speed;
  };
  app.on("state", update);
  update();
  return select;
}
