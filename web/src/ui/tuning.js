import { tune } from "../race/tune.js";
import { nameOf } from "../state/racers.js";
import { h, write } from "./dom.js";
import { icon } from "./icons.js";
import { short, whole } from "./numbers.js";

/**
 * Tuning of learning rates: every racer has the same number of gradient evaluations.
 *
 * @param {import("../app.js").App} app
 * @param {{ undo: () => void }} actions
 */
export function tuning(app, actions) {
  let running = null;
  const name = h("span", null, "Tune each learning rate");
  const bar = h("span", { class: "bar" });
  const button = h(
    "button",
    { type: "button", class: "tune", onclick: () => (running ? running.abort() : tuneAll()) },
    icon("target"),
    name,
    bar,
  );
  const text = h("p", null);
  const undo = h(
    "button",
    { type: "button", class: "small", onclick: () => (actions.undo(), hide()) },
    "Undo",
  );
  const result = h("div", { class: "tuned", hidden: true }, text, undo);
  const hide = () => (result.hidden = true);
  const say = (sentence, undoable) => {
    write(text, sentence);
    undo.hidden = !undoable;
    result.hidden = false;
    app.announce(sentence);
  };
  const progress = (share) => bar.style.setProperty("--share", String(share));
  const tuneAll = () => run(app.state.racers.map((_, i) => i).filter((i) => !app.state.racers[i].hidden));
  const run = async (indices) => {
    running?.abort();
    if (!indices.length) return;
    const mine = (running = new AbortController());
    write(name, "Stop tuning");
    hide();
    const off = app.on("paths", () => mine.abort());
    const found = await tuneRacers(app, indices, mine.signal, progress).catch((error) => ({ error }));
    off();
    if (running !== mine) return;
    running = null;
    write(name, "Tune each learning rate");
    progress(0);
    if (mine.signal.aborted) return;
    if (found.error) say(`The rates could not be tuned: ${found.error.message}`, false);
    else say(adopt(app, indices, found), true);
  };
  app.on("destroy", () => running?.abort());
  app.on("paths", hide);
  return { button, result, say, tuneAll, tuneOne: (index) => run([index]) };
}

async function tuneRacers(app, indices, signal, progress) {
  const { racers, start, steps } = app.state;
  const found = [];
  for (const [done, index] of indices.entries()) {
    const share = (part) => progress((done + part) / indices.length);
    found.push(await tune(racers[index], app.surface, start, steps, { signal, progress: share }));
  }
  return found;
}

/** Takes the rates that were found and says what they are. */
function adopt(app, indices, found) {
  const rates = new Map(indices.map((index, k) => [index, found[k].lr]));
  const racers = app.state.racers.map((racer, i) =>
    rates.has(i) ? { ...racer, options: { ...racer.options, lr: rates.get(i) } } : racer,
  );
  app.set({ racers });
  const spent = whole(Math.max(...found.map(({ evaluations }) => evaluations)));
  if (indices.length === 1) {
    const name = nameOf(app.state, indices[0]);
    return `${name} has its best rate, ${short(found[0].lr)}, found with ${spent} gradient evaluations.`;
  }
  return `Each racer has its best rate, found with ${spent} gradient evaluations.`;
}
