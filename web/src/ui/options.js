import { ends } from "../engine/check.js";
import { exampleSteps } from "../generated/library.js";
import { same } from "../state/fit.js";

/** The rates a slider spans. */
const RATES = { kind: "log", min: 1e-5, max: 10 };
/** Shares of the past that are kept: their distance from 1 is what counts. */
const SHARES = /^(momentum|dampening|rho)$/;
const MOST_KEPT = 0.9999;

/**
 * Names a person reads more easily than those in the code; the others are shown as they are, without
 * underscores.
 */
const LABELS = {
  lr: "Learning rate",
  eps: "Epsilon",
  betas: "Beta",
  etas: "Eta",
  lambd: "Lambda",
  bounds: "Bound",
  amsgrad: "AMSGrad",
  lr_decay: "Rate decay",
  hypergrad_lr: "Rate of the rate",
  weight_decay: "Weight decay",
  l1: "L1",
  l2: "L2",
};

/**
 * What an option is called on the page.
 *
 * @param {string} name
 * @returns {string}
 */
export function optionLabel(name) {
  const words = name.replaceAll("_", " ").trim();
  return LABELS[name] ?? words[0].toUpperCase() + words.slice(1);
}

/** The interval of one part of an option, without the "or None". */
function intervalOf(option, part) {
  const text = option.interval?.replace(" or None", "");
  return option.kind === "pair" ? text?.split(" x ")[part] : text;
}

/**
 * How a number of an option is chosen: its slider's scale and what may be typed.
 *
 * @param {{ name: string, default?: any, kind?: string, interval?: string }} option as in the library
 * @param {number} [part] of a pair
 * @returns {{ kind: "linear" | "log" | "zero" | "decay", min: number, max: number, integer: boolean,
 *   optional: boolean, interval?: string }}
 */
export function rangeOf(option, part = 0) {
  const interval = intervalOf(option, part);
  const usual = Array.isArray(option.default) ? option.default[part] : option.default;
  return {
    ...spanOf(option.name, interval, Math.abs(usual) || 0),
    integer: option.kind === "integer",
    optional: !option.required && (option.default === null || Boolean(option.interval?.includes("None"))),
    interval,
  };
}

function spanOf(name, interval, usual) {
  if (name === "lr") return RATES;
  if (SHARES.test(name) || interval === "[0, 1)" || interval === "(0, 1]")
    return { kind: "decay", min: 0, max: MOST_KEPT };
  if (!interval) return { kind: "linear", min: -2 * (usual || 1), max: 2 * (usual || 1) };
  const [low, high] = ends(interval);
  if (Number.isFinite(low) && Number.isFinite(high)) return { kind: "linear", min: low, max: high };
  if (low !== 0)
    return { kind: "linear", min: Number.isFinite(low) ? low : -1, max: Math.max(10, 10 * usual) };
  const middle = Number.isFinite(usual) && usual > 0 ? usual : 0.01;
  if (interval.startsWith("(")) return { kind: "log", min: middle / 1e3, max: middle * 1e3 };
  return { kind: "zero", min: Math.min(1e-5, middle / 100), max: Math.max(10, middle * 100) };
}

/**
 * First options of a schedule: the library's example of it, stretched over the race.
 *
 * @param {{ arguments: { name: string, kind: string }[], example: Record<string, any> }} schedule
 * @param {number} steps how many steps it has
 * @returns {Record<string, any>}
 */
export function firstOptions({ arguments: specs, example }, steps) {
  const ratio = steps / exampleSteps;
  const count = (value) => Math.max(1, Math.round(value * ratio));
  const stretched = (name, value) => {
    if (Array.isArray(value)) return [...new Set(value.map(count))];
    if (specs.find((spec) => spec.name === name).kind === "integer") return count(value);
    return name === "gamma" ? value ** (1 / ratio) : value; // gamma is a factor for each step
  };
  return Object.fromEntries(Object.entries(example).map(([name, value]) => [name, stretched(name, value)]));
}

/**
 * Options with one of them set; the defaults are not written down, except that of the rate.
 *
 * @param {{ name: string, default?: any }[]} specs
 * @param {Record<string, any>} options
 * @param {string} name
 * @param {any} value
 */
export function withOption(specs, options, name, value) {
  const usual = specs.find((spec) => spec.name === name)?.default;
  const { [name]: _, ...others } = options;
  return name !== "lr" && same(value, usual) ? others : { ...others, [name]: value };
}
