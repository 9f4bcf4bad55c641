/** A new racer with a fair rate and a free hue; what a racer is called. */

import { optimizers, transforms } from "../generated/library.js";
import { atFairRate } from "../race/rate.js";
import { same } from "./fit.js";
import { HUES, normalizeRacer } from "./state.js";

/** @returns {number} the first hue that no racer has, or the next in the round */
export function nextHue(racers) {
  const free = Array.from({ length: HUES }, (_, hue) => hue).find(
    (hue) => !racers.some((racer) => racer.hue === hue),
  );
  return free ?? racers.length % HUES;
}

/**
 * A new racer at a rate that works here: the best of 1, 2, 5, 10, ... over the first steps.
 *
 * @param {string} optimizer
 * @param {import("./state.js").Racer[]} racers those that are there
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number[]} start
 * @param {number} steps
 * @param {object} [options] of the optimizer, such as a momentum
 * @returns {import("./state.js").Racer}
 */
export function newRacer(optimizer, racers, surface, start, steps, options = {}) {
  const racer = normalizeRacer({ optimizer, options, hue: nextHue(racers) }, 0);
  return atFairRate(racer, surface, start, steps);
}

/** How a transform is called in few words, before its strength. */
const SHORT = {
  clip_norm: "clip",
  clip_value: "clip each",
  coupled_decay: "L2",
  decoupled_decay: "decay",
  l1_penalty: "L1",
  l1_prox: "L1 prox",
  elastic_net_penalty: "elastic net",
  elastic_net_prox: "elastic net prox",
  guard: "guard",
  trust_ratio: "trust ratio",
};

/**
 * @param {import("./state.js").Racer} racer
 * @returns {string} what a person called it, or what it is: "AdamW 0.05, clip 1"
 */
export const labelOf = (racer) => racer.label ?? `${racer.optimizer} ${partsOf(racer).join(", ")}`;

/**
 * @param {import("./state.js").State} state
 * @param {number} index
 * @returns {string} the shortest name: what a person called it, or its optimizer with what those of the same
 *   do not have
 */
export function nameOf({ racers }, index) {
  const { label, optimizer } = racers[index];
  if (label) return label;
  const others = racers
    .filter((other, i) => i !== index && !other.label && other.optimizer === optimizer)
    .map(partsOf);
  const own = others.length
    ? partsOf(racers[index]).filter((part) => !others.every((parts) => parts.includes(part)))
    : [];
  return [optimizer, own.join(", ")].filter(Boolean).join(" ");
}

/** The rate, and what differs from the usual. */
function partsOf(racer) {
  const parts = [short(racer.options.lr)];
  for (const spec of optimizers[racer.optimizer].options) {
    const value = racer.options[spec.name];
    if (spec.name === "lr" || value === undefined || same(value, spec.default)) continue;
    parts.push(worded(spec.name.replace("weight_decay", "decay"), value));
  }
  for (const { name, options } of racer.transforms) {
    parts.push([SHORT[name] ?? name, ...strengths(name, options)].join(" "));
  }
  if (racer.warmup) parts.push(`warm-up ${racer.warmup}`);
  if (racer.schedule) parts.push(racer.schedule.name.replaceAll("_", " "));
  if (racer.noise) parts.push(`noise ${short(racer.noise)}`);
  if (racer.batch) parts.push(`batch ${racer.batch}`);
  return parts;
}

function worded(name, value) {
  const words = name.replaceAll("_", " ");
  if (typeof value === "boolean") return value ? words : `no ${words}`;
  return typeof value === "string" ? value : `${words} ${short(value)}`;
}

const strengths = (name, options) =>
  transforms[name].arguments
    .map((spec) => options[spec.name])
    .filter((v) => typeof v === "number")
    .map(short);

/** A number, or a pair of them, in three digits. */
function short(value) {
  if (Array.isArray(value)) return value.map(short).join("/");
  return typeof value === "number" ? String(Number(value.toPrecision(3))).replace("e+", "e") : String(value);
}
