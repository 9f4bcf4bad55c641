/**
 * The state: everything a link carries. `normalize` makes any object a whole and valid state; what it had to
 * repair it says in `state.notes`, one sentence each.
 */

import { filled } from "../engine/check.js";
import { compose, optionOf } from "../engine/program.js";
import { optimizers, schedules, transforms } from "../generated/library.js";
import { atFairRate } from "../race/rate.js";
import { LONGEST } from "../surfaces/formula/tokens.js";
import { createSurface, standIn, surfaces } from "../surfaces/index.js";
import { fitNumber, fitOptions, shown } from "./fit.js";
import { lessons } from "./lessons.js";

/**
 * @typedef {{ name: string, options: object }} Part a transform or a schedule
 * @typedef {{ optimizer: string, options: object, transforms: Part[], warmup: number, schedule: Part|null,
 *   noise: number, seed: number, batch: number, hidden: boolean, hue: number, label?: string }} Racer
 * @typedef {{ surface: { id: string, parameters: object, formula: string }, start: number[], steps: number,
 *   racers: Racer[], view: object, playhead: number|null, speed: number, lesson: string|null, theme?: string,
 *   notes: string[] }} State
 */

export const LIMITS = {
  racers: 20,
  steps: 10_000,
  formula: LONGEST,
  label: 60,
  transforms: 8,
  coordinate: 1e9,
  note: 200,
};
export const HUES = 10;

export const THEMES = ["light", "dark"];

/**
 * What the views remember: choices, of which the first is the default, or a default that is true or false.
 */
export const VIEW = {
  stage: ["contour", "surface"],
  chart: ["loss", "rates", "schedule", "phase", "step"],
  log: true,
};

/** What is seen where a person chose it, and of which racer: lists of numbers, and when they make sense. */
export const VIEWED = {
  box: (x0, x1, y0, y1, ...more) => x0 < x1 && y0 < y1 && !more.length,
  selected: (racer, ...more) => racer >= 1 && racer <= LIMITS.racers && racer % 1 === 0 && !more.length,
  camera: (yaw, tilt, zoom, ...more) => tilt >= 0 && tilt <= 90 && zoom > 0.1 && zoom < 100 && !more.length,
};

const RACER_NUMBERS = {
  warmup: { low: 0, high: LIMITS.steps, otherwise: 0, whole: true },
  noise: { low: 0, high: 1e6, otherwise: 0 },
  seed: { low: 0, high: 2 ** 31 - 1, otherwise: 1, whole: true },
  batch: { low: 0, high: 100_000, otherwise: 0, whole: true },
};

/** What a number of a racer is where nothing was said. @param {keyof RACER_NUMBERS} key */
export const usualOf = (key) => RACER_NUMBERS[key].otherwise;

/** What a number of a racer may be. @param {keyof RACER_NUMBERS} key @returns {string} such as "[0, 10]" */
export const intervalOf = (key) => `[${RACER_NUMBERS[key].low}, ${RACER_NUMBERS[key].high}]`;

/**
 * What is shown when nothing was said, not even a lesson; its racers run on other surfaces too, at rates
 * that work.
 */
const HOME = lessons[0].state;
const STEPS = 300;

/** @returns {State} the first lesson's race */
export const defaultState = () => normalize({});

/**
 * @param {object} given any object, such as a part of a state
 * @param {object[]} [slices] measured planes that a surface may be of
 * @returns {State} a whole state; `notes` says what was repaired
 */
export function normalize(given, slices = []) {
  const known = isObject(given) ? given : {};
  const base = lessons.find(({ id }) => id === known.lesson)?.state ?? HOME;
  const from = known.surface === undefined ? { ...base, ...known } : known;
  const notes = Array.isArray(from.notes) ? from.notes.filter((note) => typeof note === "string") : [];
  const surface = fitSurface(isObject(from.surface) ? from.surface : {}, slices, notes);
  const steps = fitNumber(
    from.steps,
    { low: 1, high: LIMITS.steps, otherwise: STEPS, whole: true },
    "steps",
    notes,
  );
  const made = makeSurface(surface, slices);
  const start = fitStart(from.start, made, notes);
  const state = {
    surface,
    start,
    steps,
    racers: from.racers === undefined ? homeRacers(made, start, steps) : fitRacers(from.racers, notes),
    view: fitView(from.view),
    playhead: fitPlayhead(from.playhead, steps, notes),
    speed: fitNumber(from.speed, { low: 0.05, high: 100, otherwise: 1 }, "speed", notes),
    lesson: typeof from.lesson === "string" && /^[a-z0-9-]{1,40}$/.test(from.lesson) ? from.lesson : null,
    notes: notes.map((note) => (note.length > LIMITS.note ? `${note.slice(0, LIMITS.note)}…` : note)),
  };
  if (THEMES.includes(from.theme)) state.theme = from.theme;
  return state;
}

const isObject = (value) => typeof value === "object" && value !== null;

function fitSurface(given, slices, notes) {
  const id = given.id ?? HOME.surface.id;
  const family = surfaces.find((one) => one.id === id);
  if (!family) {
    notes.push(`There is no surface called ${shown(id)}. Another one is shown.`);
    return fitSurface(HOME.surface, slices, notes);
  }
  if (id === "slice" && !slices.length) {
    notes.push(
      "The measured slice is not in this page; thalweg play --slice FILE.json puts one there. " +
        "Another surface is shown.",
    );
    return fitSurface(HOME.surface, slices, notes);
  }
  const specs = family.parameters.map(({ min, max, integer, ...spec }) => ({
    ...spec,
    required: false,
    kind: integer ? "integer" : "number",
    interval: `[${min}, ${max}]`,
  }));
  const parameters = fitOptions(family.label, specs, given.parameters, notes);
  return { id: family.id, parameters, formula: fitText(given.formula, LIMITS.formula, "The formula", notes) };
}

/** A person's words: without control characters and halves of characters, not too long. */
function fitText(given, most, owner, notes) {
  if (typeof given !== "string") return "";
  const text = given.replace(/\p{Cc}|\p{Cs}/gu, "");
  if (text.length <= most) return text;
  notes.push(`${owner} was cut to ${most} characters.`);
  return text.slice(0, most).replace(/\p{Cs}/gu, "");
}

/** The surface itself, or what stands in for it. */
function makeSurface({ id, parameters, formula }, slices) {
  try {
    return createSurface(id, parameters, { slices, formula });
  } catch {
    return standIn();
  }
}

const isCoordinate = (value) => typeof value === "number" && Math.abs(value) <= LIMITS.coordinate;

function fitStart(given, surface, notes) {
  if (Array.isArray(given) && given.length === 2 && given.every(isCoordinate))
    return given.map((value) => value + 0);
  if (given !== undefined)
    notes.push("The start must be two numbers, such as -1.5,2. It is the usual one now.");
  return [...surface.start];
}

function homeRacers(surface, start, steps) {
  const racers = HOME.racers.map((racer, index) => normalizeRacer(racer, index));
  return racers.map((racer) => atFairRate(racer, surface, start, steps));
}

function fitRacers(given, notes) {
  const racers = Array.isArray(given) ? given.filter(isObject) : [];
  if (racers.length > LIMITS.racers) {
    notes.push(`There were ${racers.length} racers. ${LIMITS.racers} can race at once; these are the first.`);
  }
  return racers
    .slice(0, LIMITS.racers)
    .map((racer, index) => normalizeRacer(racer, index, notes))
    .filter(Boolean);
}

/**
 * @param {object} given any object that names an optimizer
 * @param {number} index its place, which gives its hue if it has none
 * @param {string[]} notes where the sentences go
 * @returns {Racer|null} null where there is no such optimizer
 */
export function normalizeRacer(given, index, notes = []) {
  const name = given.optimizer;
  if (typeof name !== "string" || !Object.hasOwn(optimizers, name)) {
    notes.push(`There is no optimizer called ${shown(name)}; this racer was left out.`);
    return null;
  }
  const racer = {
    optimizer: name,
    options: fitLr(name, given.options, notes),
    transforms: fitTransforms(given.transforms, notes),
    ...fitFactors(given, name, notes),
    noise: fitNumber(given.noise, RACER_NUMBERS.noise, `${name}: noise`, notes),
    seed: fitNumber(given.seed, RACER_NUMBERS.seed, `${name}: seed`, notes),
    batch: fitNumber(given.batch, RACER_NUMBERS.batch, `${name}: batch`, notes),
    hidden: given.hidden === true,
    hue: Number.isInteger(given.hue) ? ((given.hue % HUES) + HUES) % HUES : index % HUES,
  };
  const label = fitText(given.label, LIMITS.label, `${name}: the label`, notes).trim();
  if (label) racer.label = label;
  return composed(racer, notes);
}

function fitLr(name, given, notes) {
  const specs = optimizers[name].options;
  const options = fitOptions(name, specs, given, notes);
  return { lr: options.lr ?? optionOf(name, "lr").default, ...options };
}

function fitTransforms(given, notes) {
  const fitted = (Array.isArray(given) ? given.filter(isObject) : []).map((part) =>
    fitPart(transforms, part, notes),
  );
  const kept = fitted.filter(Boolean);
  if (kept.length > LIMITS.transforms) notes.push(`A racer has at most ${LIMITS.transforms} transforms.`);
  return kept.slice(0, LIMITS.transforms);
}

/** A transform or a schedule that can be made, or null. */
function fitPart(library, { name, options }, notes) {
  if (typeof name !== "string" || !Object.hasOwn(library, name)) {
    notes.push(`There is nothing called ${shown(name)}; it was left out.`);
    return null;
  }
  const specs = library[name].arguments;
  const part = { name, options: fitOptions(name, specs, options, notes) };
  try {
    library[name].make(filled(name, specs, part.options));
    return part;
  } catch (error) {
    notes.push(`${error.message}. ${name} was left out.`);
    return null;
  }
}

/** Warm-up and schedule: a schedule that is a warm-up is the warm-up. */
function fitFactors(given, name, notes) {
  let warmup = fitNumber(given.warmup, RACER_NUMBERS.warmup, `${name}: warmup`, notes);
  let schedule = isObject(given.schedule) ? fitPart(schedules, given.schedule, notes) : null;
  if (schedule?.name === "warmup") {
    warmup = fitNumber(schedule.options.steps, RACER_NUMBERS.warmup, `${name}: warmup`, notes);
    schedule = null;
  }
  return { warmup, schedule };
}

/**
 * Options that fit one by one may not fit together: then the transforms go, or all options are the usual
 * ones.
 */
function composed(racer, notes) {
  const bare = { ...racer, transforms: [] };
  const why = misfit(racer);
  if (why === null) return racer;
  notes.push(`${why}.`);
  if (misfit(bare) === null) return bare;
  return { ...bare, options: { lr: racer.options.lr } };
}

function misfit({ optimizer, options, transforms: around }) {
  try {
    compose(optimizer, options, around);
    return null;
  } catch (error) {
    return error.message;
  }
}

function fitView(given) {
  const view = {};
  for (const [key, rule] of Object.entries(VIEW)) {
    const value = given?.[key];
    if (Array.isArray(rule)) view[key] = rule.includes(value) ? value : rule[0];
    else view[key] = typeof value === "boolean" ? value : rule;
  }
  for (const [key, fits] of Object.entries(VIEWED)) {
    const value = given?.[key];
    if (Array.isArray(value) && value.every(isCoordinate) && fits(...value))
      view[key] = value.map((v) => v + 0);
  }
  return view;
}

function fitPlayhead(given, steps, notes) {
  return given == null ? null : fitNumber(given, { low: 0, high: steps, otherwise: 0 }, "The step", notes);
}
