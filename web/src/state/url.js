/**
 * A state as the part of a link after "#", and back. The text is meant to be read and edited:
 *
 *   v=1&surface=quadratic(condition=20)&start=-4,1&racer=AdamW(lr=0.05);clip_norm(1);cosine(200)&steps=200
 *
 * `v` is the version of this language. What is not said has its default, so links stay short. Numbers are
 * written with all their digits: `decode(encode(state))` is the state, exactly.
 */

import { optimizers, schedules, transforms } from "../generated/library.js";
import { escapeText, readCall, readValue, unescapeText, writeCall, writeValue } from "./calls.js";
import { surfaces } from "../surfaces/index.js";
import { shown } from "./fit.js";
import { HUES, THEMES, VIEW, VIEWED, normalize, usualOf } from "./state.js";

const VERSION = "1";
const LONGEST = 20_000;
const SPECIAL = /[~&;>]/g; // what separates things, in the words of a person
const NUMBERS = ["noise", "seed", "batch"]; // of a racer

/**
 * @param {import("./state.js").State} state normalized
 * @returns {string} for `location.hash`, without the "#"
 */
export function encode(state) {
  const { surface, view } = state;
  const pairs = [["v", VERSION]];
  if (state.lesson) pairs.push(["lesson", state.lesson]);
  pairs.push(["surface", writeCall(surface.id, Object.entries(surface.parameters))]);
  if (surface.formula) pairs.push(["formula", escapeText(surface.formula, SPECIAL)]);
  pairs.push(["start", state.start.map(writeValue).join(",")]);
  for (const [index, racer] of state.racers.entries()) pairs.push(["racer", encodeRacer(racer, index)]);
  if (!state.racers.length) pairs.push(["racer", "none"]);
  for (const [key, rule] of Object.entries(VIEW)) {
    if (view[key] !== (Array.isArray(rule) ? rule[0] : rule)) pairs.push([key, String(view[key])]);
  }
  for (const key of Object.keys(VIEWED))
    if (view[key]) pairs.push([key, view[key].map(writeValue).join(",")]);
  if (state.playhead !== null) pairs.push(["at", writeValue(state.playhead)]);
  if (state.speed !== 1) pairs.push(["speed", writeValue(state.speed)]);
  if (THEMES.includes(state.theme)) pairs.push(["theme", state.theme]);
  pairs.push(["steps", writeValue(state.steps)]); // last: programs that find links drop a closing parenthesis
  return pairs.map(([key, value]) => `${key}=${percent(value)}`).join("&");
}

/** Only what may not stand after "#" is written as %xx, so that the rest stays readable. */
const percent = (text) =>
  text.replace(/\p{Cs}/gu, "").replace(/[^\w\-.~!$'()*+,;=:@/?]/gu, encodeURIComponent);

function encodeRacer(racer, index) {
  const parts = [writeCall(racer.optimizer, Object.entries(racer.options))];
  for (const { name, options } of racer.transforms) parts.push(writePart(transforms, name, options));
  if (racer.warmup) parts.push(`warmup(${racer.warmup})`);
  if (racer.schedule) parts.push(writePart(schedules, racer.schedule.name, racer.schedule.options));
  for (const key of NUMBERS) {
    if (racer[key] !== usualOf(key)) parts.push(`${key}=${writeValue(racer[key])}`);
  }
  if (racer.hue !== index % HUES) parts.push(`hue=${racer.hue}`);
  if (racer.hidden) parts.push("hidden");
  if (racer.label) parts.push(`label=${escapeText(racer.label, SPECIAL)}`);
  return parts.join(";");
}

/** The first option of a transform or a schedule goes without its name if it must be given: `cosine(190)`. */
function writePart(library, name, options) {
  const [first] = library[name].arguments;
  const unnamed = first?.required ? first.name : null;
  const values = Object.entries(options).map(([key, value]) => [key === unnamed ? null : key, value]);
  return writeCall(name, values);
}

/**
 * @param {string} hash a link's part after "#", with or without it
 * @param {object[]} [slices] measured planes that the surface may be of
 * @returns {import("./state.js").State} always whole; what could not be read is said in `notes`
 */
export function decode(hash, slices = []) {
  const notes = [];
  const given = { notes };
  for (const item of readable(hash, notes).split("&")) {
    const at = item.indexOf("=");
    if (at > 0) readPair(item.slice(0, at).trim(), item.slice(at + 1), given, notes);
    else if (item.trim()) notes.push(`The link says ${shown(item)}, which means nothing here.`);
  }
  return normalize(given, slices);
}

function readable(hash, notes) {
  let text = String(hash ?? "").replace(/^#/, "");
  if (text.length > LONGEST) {
    notes.push("The link is too long; its end was left out.");
    text = text.slice(0, LONGEST);
  }
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/(?:%[\da-f]{2})+/gi, (bytes) => {
      try {
        return decodeURIComponent(bytes);
      } catch {
        return "";
      }
    });
  }
}

function readPair(key, value, given, notes) {
  const readers = {
    v: () =>
      value !== VERSION && notes.push(`The link is of version ${shown(value)}; this page reads ${VERSION}.`),
    lesson: () => (given.lesson = value),
    surface: () => readSurface(value, given, notes),
    formula: () => (given.surface = { id: "formula", ...given.surface, formula: unescapeText(value) }),
    start: () => (given.start = readNumbers(value)),
    racer: () => readRacer(value, given, notes),
    at: () => (given.playhead = readValue(value)),
    speed: () => (given.speed = readValue(value)),
    theme: () => (given.theme = value),
    steps: () => (given.steps = readValue(value)),
  };
  if (Object.hasOwn(readers, key)) readers[key]();
  else if (Object.hasOwn(VIEW, key)) given.view = { ...given.view, [key]: readValue(value) };
  else if (Object.hasOwn(VIEWED, key)) given.view = { ...given.view, [key]: readNumbers(value) };
  else notes.push(`The link says ${shown(key)}, which means nothing here.`);
}

const readNumbers = (text) => text.split(",").map((number) => readValue(number));

function readSurface(value, given, notes) {
  const call = readCall(value);
  if (!call) return notes.push(`The surface ${shown(value)} cannot be read.`);
  const family = surfaces.find(({ id }) => id === call.name);
  given.surface = {
    ...given.surface,
    id: call.name,
    parameters: named(call, family?.parameters ?? [], notes),
  };
}

/** The values of a call by their names; one without a name has that of its place. */
function named(call, specs, notes) {
  for (const text of call.unread) notes.push(`${call.name}: ${shown(text)} cannot be read.`);
  return Object.fromEntries(
    call.values.map(([key, value], i) => [key ?? specs[i]?.name ?? `number ${i + 1}`, value]),
  );
}

function readRacer(text, given, notes) {
  given.racers ??= [];
  if (text === "none") return;
  const racer = { transforms: [] };
  for (const part of text.split(/;|>>/)) {
    const at = /^\s*(noise|seed|batch|hue|label)\s*=(.*)$/s.exec(part);
    if (at?.[1] === "label") racer.label = unescapeText(at[2]);
    else if (at) racer[at[1]] = readValue(at[2]);
    else readPart(part.trim(), racer, notes);
  }
  if (racer.optimizer) given.racers.push(racer);
  else notes.push(`The racer ${shown(text)} has no optimizer; it was left out.`);
}

function readPart(text, racer, notes) {
  const call = readCall(text);
  const name = call?.name;
  if (text === "hidden") racer.hidden = true;
  else if (!call) notes.push(`${shown(text)} cannot be read; it was left out.`);
  else if (Object.hasOwn(optimizers, name) || !racer.optimizer) {
    racer.optimizer = name;
    racer.options = named(call, optimizers[name]?.options ?? [], notes);
  } else if (Object.hasOwn(transforms, name)) {
    racer.transforms.push({ name, options: named(call, transforms[name].arguments, notes) });
  } else if (name === "warmup" && !racer.schedule) {
    racer.warmup = named(call, schedules.warmup.arguments, notes).steps;
  } else if (Object.hasOwn(schedules, name)) {
    racer.schedule = { name, options: named(call, schedules[name].arguments, notes) };
  } else notes.push(`There is nothing called ${shown(name)}; it was left out.`);
}
