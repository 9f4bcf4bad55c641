import { optimizers } from "../generated/library.js";
import { newRacer, nextHue } from "../state/racers.js";
import { nameOf } from "../views/trails-names.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { short } from "./numbers.js";
import { racerRow } from "./racer.js";
import { standings } from "./standing.js";
import { tuning } from "./tuning.js";

export const MOST_RACERS = 20;
/** Those a person is likely to add next. */
const USUAL = [
  "SGD",
  "Momentum",
  "Nesterov",
  "RMSprop",
  "Adam",
  "AdamW",
  "Adagrad",
  "Lion",
  "NAdam",
  "Adadelta",
];

/**
 * The racers: a row each, and what is done with all of them.
 *
 * @param {import("../app.js").App} app
 * @param {{ undo: () => void }} actions
 * @returns {{ element: HTMLElement, tune: () => void, say: (sentence: string, undoable: boolean) => void }}
 */
export function racers(app, actions) {
  const list = h("ul", { class: "rows" });
  const tuner = tuning(app, actions);
  const none = h("p", { class: "empty" }, "No one is racing. Add a racer to begin.");
  let rows = [];
  const self = { open: null, tuner };
  self.toggle = (index) => {
    self.open = self.open === index ? null : index;
    app.selected = index;
    update();
  };
  self.duplicate = (index) => {
    const all = app.state.racers;
    const copy = { ...all[index], hue: nextHue(all), hidden: false, label: copyName(app.state, index) };
    app.set({ racers: [...all.slice(0, index + 1), copy, ...all.slice(index + 1)] });
    self.open = null;
    app.selected = index + 1;
    update();
    rows[index + 1].focus();
    app.announce(`${copy.label} added.`);
  };
  self.remove = (index) => {
    const name = nameOf(app.state, index);
    self.open = null;
    app.set({ racers: app.state.racers.filter((_, i) => i !== index) });
    (rows[Math.min(index, rows.length - 1)] ?? { focus: () => add.focus() }).focus();
    app.announce(`${name} removed. Ctrl Z brings it back.`);
  };
  const add = h(
    "button",
    { type: "button", class: "add", onclick: () => addRacer(app, self, () => rows) },
    icon("plus"),
    "Add racer",
  );
  const update = () => {
    if (rows.length !== app.state.racers.length) {
      rows = app.state.racers.map((_, i) => racerRow(app, i, self));
      list.replaceChildren(...rows.map((row) => row.element));
    }
    if (self.open !== null && self.open >= rows.length) self.open = null;
    rows.forEach((row) => row.update());
    none.hidden = rows.length > 0;
    tuner.button.disabled = !rows.length;
    add.disabled = rows.length >= MOST_RACERS;
    onStep();
  };
  const onStep = () => {
    const hidden = app.state.racers.map((racer) => racer.hidden);
    standings(app.paths, hidden, app.step).forEach((standing, i) => rows[i]?.standing(standing));
  };
  app.on("state", update);
  app.on("selected", update);
  app.on("step", onStep);
  app.on("hover", () => rows.forEach((row) => row.hovered(app.hover?.racer)));
  app.on("playing", () => !app.playing && app.step >= app.state.steps && announceEnd(app));
  update();
  const foot = h("div", { class: "foot" }, add, tuner.button);
  const heading = h(
    "div",
    { class: "head columns", "aria-hidden": "true" },
    h("span", null, "Racer"),
    h("span", null, "Learning rate"),
    h("span", null, "Loss"),
  );
  const element = h(
    "section",
    { class: "panel racers", "aria-label": "Racers" },
    heading,
    h("div", { class: "scroll" }, none, list),
    tuner.result,
    foot,
  );
  return { element, tune: tuner.tuneAll, say: tuner.say };
}

/** Who won, for those who did not see it. */
function announceEnd(app) {
  const ends = standings(
    app.paths,
    app.state.racers.map((racer) => racer.hidden),
    app.step,
  );
  const first = ends.findIndex(({ rank, out }) => rank === 1 && !out);
  if (first >= 0) app.announce(`${nameOf(app.state, first)} ends lowest, at ${short(ends[first].loss)}.`);
}

/** A new racer is one that is not there yet, at a rate that works here. */
function addRacer(app, self, rows) {
  const { racers: all, start, steps } = app.state;
  const known = USUAL.filter((name) => name in optimizers);
  const name = known.find((each) => !all.some((racer) => racer.optimizer === each)) ?? known[0];
  app.set({ racers: [...all, newRacer(name, all, app.surface, start, steps)] });
  self.open = all.length;
  app.selected = all.length;
  rows()[all.length].focus();
}

/** A name that nobody has: that of the one that is copied, with a number. */
function copyName({ racers: all }, index) {
  const taken = new Set(all.map((_, i) => nameOf({ racers: all }, i)));
  const base = nameOf({ racers: all }, index).replace(/ \d+$/, "");
  let number = 2;
  while (taken.has(`${base} ${number}`)) number += 1;
  return `${base} ${number}`;
}
