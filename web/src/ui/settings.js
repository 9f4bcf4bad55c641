import { optionOf } from "../engine/program.js";
import { optimizers, schedules } from "../generated/library.js";
import { atFairRate } from "../race/rate.js";
import { intervalOf, LIMITS } from "../state/state.js";
import { nameOf } from "../state/racers.js";
import { about } from "./about.js";
import { h, rebuild } from "./dom.js";
import { numberField, selectField } from "./fields.js";
import { textButton } from "./icons.js";
import { optionFields } from "./optionfields.js";
import { firstOptions, withOption } from "./options.js";
import { ownFields } from "./ownfields.js";
import { section } from "./section.js";
import { transformFields } from "./transformfields.js";

/** Not among the fields: the rate has its own, and a race is always downhill. */
const ELSEWHERE = new Set(["lr", "maximize"]);

/**
 * All settings of a racer. The fields follow from what the library says of its options; they are built again
 * where the algorithm, the schedule, the surface or the number of steps asks for other ones.
 *
 * @param {import("../app.js").App} app
 * @param {number} index
 * @param {any} list what the list of racers does
 */
export function settings(app, index, list) {
  const element = h("div", { class: "settings" });
  let parts = [];
  let built = "";
  const update = () => {
    const { optimizer, schedule } = app.state.racers[index];
    const shape = JSON.stringify([optimizer, schedule?.name, app.surface.samples, app.state.steps]);
    if (shape !== built)
      rebuild(element, () => (parts = sections(app, index, list)).map((part) => part.element));
    built = shape;
    for (const part of parts) part.update();
  };
  return { element, update };
}

function sections(app, index, list) {
  return [
    algorithmSection(app, index, list),
    scheduleSection(app, index),
    transformFields(app, index),
    ownFields(app, index),
    deeds(app, index, list),
  ];
}

function algorithmSection(app, index, list) {
  const racer = () => app.state.racers[index];
  const { options } = optimizers[racer().optimizer];
  const choose = (optimizer) => {
    const { label, ...rest } = racer();
    const { start, steps } = app.state;
    const options = { lr: optionOf(optimizer, "lr").default };
    app.setRacer(index, {
      label: undefined,
      ...atFairRate({ ...rest, optimizer, options }, app.surface, start, steps),
    });
  };
  const names = Object.keys(optimizers).map((name) => [name, name]);
  const choice = selectField({
    label: "Algorithm",
    name: `Algorithm of ${nameOf(app.state, index)}`,
    field: "algorithm",
    options: names,
    onchange: choose,
  });
  const update = choice.update;
  choice.update = () => update(racer().optimizer);
  const given = (name) => racer().options[name];
  const change = (name, value) =>
    app.setRacer(index, { options: withOption(options, racer().options, name, value) });
  const fields = optionFields(
    options.filter(({ name }) => !ELSEWHERE.has(name)),
    "options",
    given,
    change,
  );
  return section("Algorithm", [choice, ...fields], about(optimizers[racer().optimizer]));
}

function scheduleSection(app, index) {
  const racer = () => app.state.racers[index];
  const name = racer().schedule?.name ?? "";
  const choose = (chosen) =>
    app.setRacer(index, { schedule: chosen ? firstSchedule(app, racer(), chosen) : null });
  const names = Object.keys(schedules)
    .filter((key) => key !== "warmup")
    .map((key) => [key, key.replaceAll("_", " ")]);
  const choice = selectField({
    label: "Schedule",
    field: "schedule",
    options: [["", "none: the rate stays"], ...names],
    onchange: choose,
  });
  const update = choice.update;
  choice.update = () => update(racer().schedule?.name ?? "");
  const specs = name ? schedules[name].arguments : [];
  const given = (key) => racer().schedule?.options[key];
  const change = (key, value) =>
    app.setRacer(index, {
      schedule: { name, options: withOption(specs, racer().schedule.options, key, value) },
    });
  const warmup = numberField({
    label: "Warm-up first",
    field: "warmup",
    kind: "linear",
    min: 0,
    max: Math.ceil(app.state.steps / 2),
    integer: true,
    interval: intervalOf("warmup"),
    onchange: (value) => app.setRacer(index, { warmup: value }),
  });
  const fields = optionFields(specs, "schedule", given, change, {
    owner: "Schedule",
    steps: app.state.steps,
  });
  const rows = [choice, ...fields, { element: warmup.element, update: () => warmup.update(racer().warmup) }];
  return section("Schedule", rows, name && about(schedules[name]));
}

function firstSchedule(app, racer, name) {
  return {
    name,
    options: firstOptions(schedules[name], Math.max(1, app.state.steps - racer.warmup)),
  };
}

function deeds(app, index, list) {
  const duplicate = textButton("Duplicate", () => list.duplicate(index), { icon: "copy" });
  const element = h("div", { class: "deeds" }, [
    duplicate,
    textButton("Tune this rate", () => list.tuner.tuneOne(index), { icon: "target" }),
    textButton("Remove", () => list.remove(index), { icon: "close" }),
  ]);
  return { element, update: () => (duplicate.disabled = app.state.racers.length >= LIMITS.racers) };
}
