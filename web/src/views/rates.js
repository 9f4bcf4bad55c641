// The effective learning rate of each coordinate: how far a step moved it for each unit of its gradient, −Δp
// / g.
//
// For plain gradient descent that is the learning rate, the same for both. Momentum lengthens it along a
// slope; adaptive rules make it small where gradients are large, which is what equalizes their steps.

import { createChart } from "./chart.js";
import { range, sampled } from "./chart-curve.js";
import { curvesOf } from "./chart-racers.js";
import { nameOf } from "../state/racers.js";
import { short } from "../ui/numbers.js";

const DISTINCT = 100; // steps that can be told apart in a chart of ratios that change sign
const OUTLIERS = 0.04; // the share at each end that the frame does not follow: near a gradient of 0
const AROUND = 4; // so many times beyond the others it still shows them
const LEAST = 1e-6; // of the largest rate shown: who moves less stands still

/** The view of the effective rates. @param {HTMLElement} el @param {any} app */
export function createRates(el, app) {
  return createChart(el, app, {
    name: "Effective learning rate of each coordinate",
    model: ratesModel,
    value: said,
  });
}

/**
 * The effective rate of each step, at the index of the point that the step led to: −Δp / g, or over about
 * `memory` steps their least-squares slope −Σ g Δp / Σ g², in which older steps fade. NaN where the gradient
 * is 0.
 * @param {ArrayLike<number>} p
 * @param {ArrayLike<number>} g
 * @param {number} [memory] in steps
 * @returns {Float64Array}
 */
export function effective(p, g, memory = 1) {
  const rates = new Float64Array(p.length).fill(NaN);
  const kept = 1 - 1 / memory;
  let [moved, squares] = [0, 0];
  for (let k = 1; k < p.length; k += 1) {
    moved = kept * moved + g[k - 1] * (p[k - 1] - p[k]);
    squares = kept * squares + g[k - 1] * g[k - 1];
    if (squares > 0) rates[k] = moved / squares;
  }
  return rates;
}

/** A panel for each coordinate, on one logarithmic scale. @param {any} app */
export function ratesModel(app) {
  const memory = Math.ceil(app.state.steps / DISTINCT);
  const each = ["x", "y"].map((axis) =>
    curvesOf(app, (path) => effective(path[axis], path[`g${axis}`], memory)).map(split),
  );
  const [low, high] = limits(each.flat());
  const uphill = each.flat().some(({ against }) => range(against)[1] > 0);
  const [first, second] = app.surface.names;
  const how = memory > 1 ? `, over ${memory} steps` : "";
  const titles = [
    `rate of ${first}: −Δ${first} / gradient${how}`,
    `rate of ${second}${uphill ? " (dotted: uphill)" : ""}`,
  ];
  return { panels: each.map((curves, i) => ({ title: titles[i], log: true, low, high, curves })) };
}

/** On a logarithmic axis, steps against −g are drawn by their size, dotted. */
function split(curve) {
  const { length } = curve.values;
  const [values, against] = [new Float64Array(length).fill(NaN), new Float64Array(length).fill(NaN)];
  for (let i = 0; i < length; i += 1) {
    const value = curve.values[i];
    if (value < 0) against[i] = -value;
    else values[i] = value;
  }
  return { ...curve, values, against, end: null };
}

function limits(curves) {
  const sizes = curves
    .flatMap(({ values, against }) => [...sampled(values), ...sampled(against)])
    .filter((v) => v > 0);
  if (!sizes.length) return [1e-3, 1];
  const sorted = Float64Array.from(sizes).sort();
  const cut = Math.floor(sorted.length * OUTLIERS);
  const high = Math.min(1.5 * sorted.at(-1), AROUND * sorted[sorted.length - 1 - cut]);
  const low = Math.max(sorted[0] / 1.5, sorted[cut] / AROUND, LEAST * high);
  return high / low > 9 ? [low, high] : [low / 2, high * 2];
}

function said(app, { racer, step }) {
  const path = app.paths[racer];
  if (!path || step < 1 || step > path.steps) return "";
  const rates = ["x", "y"].map((axis, i) => {
    const g = path[`g${axis}`][step - 1];
    const rate = (path[axis][step - 1] - path[axis][step]) / g;
    return `${app.surface.names[i]} ${g === 0 ? "gradient 0" : short(rate, 3)}`;
  });
  return `${nameOf(app.state, racer)}, step ${step}: ${rates.join(", ")}`;
}
