// What a step changed, at a glance: position, gradient and states of each coordinate, before and after.

import { h } from "../../ui/dom.js";
import { rules } from "../../generated/library.js";
import { arrows, bars } from "./shapes.js";
import { letter } from "./math.js";
import { exact, figure } from "./numbers.js";

/** @param {any} app @param {{ racer: any, index: number, step: number, lr: number, told: any }} about */
export function overview(app, { racer, index, step, lr, told }) {
  const { names } = app.surface;
  const head = h("tr", null, h("td"), ...names.map((name) => h("th", { scope: "col" }, name)));
  const moves = told.after.p.map((value, i) => value - told.before.p[i]);
  const hue = app.colors.hues[racer.hue];
  const rows = [
    row("from", told.before.p.map(number)),
    row("gradient", told.gradient.map(number)),
    row("move", moves.map(number)),
    row("to", told.after.p.map(number)),
    ...states(told, hue),
  ];
  const table = h(
    "table",
    { class: "inspector-table" },
    h("caption", { class: "unseen" }, "Before and after the step"),
    head,
    ...rows,
  );
  const plot = arrows(
    told.gradient.map((g) => -g),
    moves,
    app.colors,
    hue,
    names,
  );
  return h("div", { class: "inspector-overview" }, facts(app, racer, index, step, lr), table, plot);
}

function row(name, cells) {
  return h(
    "tr",
    null,
    h("th", { scope: "row" }, name),
    ...cells.map((cell) => h("td", { colspan: cells.length === 1 ? "2" : null }, cell)),
  );
}

const number = (value) => h("span", { class: "number", title: exact(value) }, figure(value));

function change(before, after) {
  return [number(before), h("span", { class: "to" }, " → "), number(after)];
}

/** A row for each state, with bars as long as its values, the longest of the row full. */
function states({ before, after, stages }, hue) {
  const letters = {};
  for (const { rule } of stages)
    for (const [name, key] of Object.entries(rules[rule].states)) letters[key] = name;
  const keys = Object.keys(after).filter((key) => key !== "p");
  return keys.map((key) => {
    const [from, to] = [before[key], after[key]];
    const longest = Math.max(...[...from, ...to].map(Math.abs).filter(Number.isFinite), 1e-300);
    const name = h("span", { title: key }, letter(letters[key] ?? key, { position: "" }));
    const cells = to.map((value, i) => [
      change(from[i], value),
      bars(from[i] / longest, value / longest, hue),
    ]);
    return row(name, cells);
  });
}

/** The loss, the count and the rate, and what the schedule made of it. */
function facts(app, { options }, index, step, lr) {
  const { loss } = app.paths[index];
  const factor = lr / options.lr;
  const scheduled = Number.isFinite(factor) && Math.abs(factor - 1) > 1e-12;
  const shown = [letter("lr", {}), " = ", number(lr)];
  if (scheduled) shown.push(h("span", { class: "soft" }, " = ", number(options.lr), " × ", number(factor)));
  return h(
    "p",
    { class: "inspector-facts" },
    h(
      "span",
      null,
      h("span", { class: "soft" }, "loss "),
      change(loss[step - 1], step < loss.length ? loss[step] : NaN),
    ),
    h("span", null, letter("t", {}), " = ", number(step)),
    h(
      "span",
      {
        title: scheduled
          ? "learning rate of this step: the racer's, times the schedule's factor"
          : "learning rate",
      },
      ...shown,
    ),
  );
}
