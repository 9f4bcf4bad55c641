import { nameOf, newRacer, nextHue } from "../state/racers.js";
import { LIMITS } from "../state/state.js";
import { h } from "./dom.js";
import { textButton } from "./icons.js";
import { racerRow } from "./racer.js";
import { lossTexts, standings } from "./standing.js";
import { tuning } from "./tuning.js";

/** Those a person is likely to add next. */
const USUAL = "SGD Momentum Nesterov RMSprop Adam AdamW Adagrad NAdam Adadelta Rprop".split(" ");

/**
 * The racers: a row each, and what is done with all of them.
 *
 * @param {import("../app.js").App} app
 * @param {{ undo: () => void }} actions
 * @returns {{ element: HTMLElement, tune: () => void, say: (sentence: string, undoable: boolean) => void }}
 */
export function racers(app, actions) {
  const list = new List(app, tuning(app, actions));
  const { tuner } = list;
  const titles = ["Racer", "Learning rate", "Loss"].map((title) => h("span", null, title));
  const parts = [
    h("div", { class: "head columns", "aria-hidden": "true" }, titles),
    h("div", { class: "scroll" }, list.none, list.place),
    tuner.result,
    h("div", { class: "foot" }, list.add, tuner.button),
  ];
  const element = h("section", { class: "panel racers", "aria-label": "Racers" }, parts);
  return { element, tune: tuner.tuneAll, say: tuner.say };
}

/** The rows, which of them is open, and the deeds of one. */
class List {
  constructor(app, tuner) {
    Object.assign(this, { app, tuner, rows: [], open: null });
    this.place = h("ul", { class: "rows" });
    this.none = h("p", { class: "empty" }, "No one is racing. Add a racer to begin.");
    this.add = textButton("Add racer", () => this.addRacer(), { class: "add", icon: "plus" });
    for (const event of ["state", "selected"]) app.on(event, () => this.update());
    app.on("step", () => this.rank());
    app.on("hover", () => this.rows.forEach((row) => row.hovered(app.hover?.racer)));
    app.on("playing", () => !app.playing && app.step >= app.state.steps && this.announceEnd());
    this.update();
  }

  update() {
    const { racers: all } = this.app.state;
    if (this.rows.length !== all.length) {
      this.rows = all.map((_, i) => racerRow(this.app, i, this));
      this.place.replaceChildren(...this.rows.map((row) => row.element));
    }
    if (this.open !== null && this.open >= all.length) this.open = null;
    this.rows.forEach((row) => row.update());
    this.none.hidden = all.length > 0;
    this.tuner.button.disabled = all.every((racer) => racer.hidden);
    this.add.disabled = all.length >= LIMITS.racers;
    this.rank();
  }

  standings() {
    const hidden = this.app.state.racers.map((racer) => racer.hidden);
    return standings(this.app.paths, hidden, this.app.step);
  }

  rank() {
    const all = this.standings();
    const texts = lossTexts(all);
    all.forEach((standing, i) => this.rows[i]?.standing(standing, texts[i]));
  }

  toggle(index) {
    this.open = this.open === index ? null : index;
    this.app.selected = index;
    this.update();
  }

  /** A new racer is one that is not there yet, at a rate that works here. */
  addRacer() {
    const { racers: all, start, steps } = this.app.state;
    const name = USUAL.find((each) => !all.some((racer) => racer.optimizer === each)) ?? USUAL[0];
    this.show(all.length, [...all, newRacer(name, all, this.app.surface, start, steps)], true);
  }

  duplicate(index) {
    const { racers: all } = this.app.state;
    const copy = { ...all[index], hue: nextHue(all), hidden: false, label: copyName(this.app.state, index) };
    this.show(index + 1, [...all.slice(0, index + 1), copy, ...all.slice(index + 1)], false);
    this.app.announce(`${copy.label} added.`);
  }

  /** Other racers, one of which is new. */
  show(index, all, open) {
    this.app.set({ racers: all });
    this.open = open ? index : null;
    this.app.selected = index;
    this.update();
    this.rows[index].focus();
  }

  remove(index) {
    const name = nameOf(this.app.state, index);
    this.open = null;
    this.app.set({ racers: this.app.state.racers.filter((_, i) => i !== index) });
    (this.rows[Math.min(index, this.rows.length - 1)] ?? this.add).focus();
    this.app.announce(`${name} removed. Ctrl Z brings it back.`);
  }

  /** Who won, for those who did not see it. */
  announceEnd() {
    const ends = this.standings();
    const first = ends.flatMap(({ rank, out }, i) => (rank === 1 && !out ? [i] : []));
    if (!first.length) return;
    const names = first.map((i) => nameOf(this.app.state, i)).join(" and ");
    const who = `${names} ${first.length > 1 ? "end" : "ends"} lowest`;
    this.app.announce(`${who}, at ${lossTexts(ends)[first[0]]}.`);
  }
}

/** A name that nobody has: that of the one that is copied, with a number. */
function copyName(state, index) {
  const taken = new Set(state.racers.map((_, i) => nameOf(state, i)));
  const base = nameOf(state, index).replace(/ \d+$/, "");
  let number = 2;
  while (taken.has(`${base} ${number}`)) number += 1;
  return `${base} ${number}`;
}
