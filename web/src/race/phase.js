import { optionOf } from "../engine/program.js";
import { optimizers } from "../generated/library.js";
import { Breath } from "./breath.js";
import { floorOf, outcome } from "./outcome.js";

/**
 * The options that play the part of momentum, the first that an optimizer has; of a pair, its first number.
 */
const MOMENTUM_LIKE = ["momentum", "betas", "rho", "alpha"];
const NAMES = { betas: "beta1" };
/** The lowest power of ten on a map; below lies rounding. */
export const LOWEST = -16;
const COARSEST = 8;

/**
 * @typedef {object} PhaseMap
 * @property {{ name: "lr", values: Float64Array }} lr the columns, evenly spaced on a logarithmic scale
 * @property {null | { name: string, option: string, values: Float64Array }} other the rows, from low to
 *   high; null for a rule without such an option, whose map is one row
 * @property {number} columns
 * @property {number} rows
 * @property {Float64Array} values row after row: log10 of the final loss over that at the start, both above
 *   the lowest loss; Infinity where the run could not end
 * @property {number} evaluations of the gradient, at most
 */

/** @returns {null | { name: string, option: string }} the option of an optimizer's second axis */
export function momentumOption(optimizer) {
  const has = (name) =>
    optimizers[optimizer].options.some((spec) => spec.name === name && /1[\])]/.test(spec.interval));
  const option = MOMENTUM_LIKE.find(has);
  return option ? { name: NAMES[option] ?? option, option } : null;
}

/** @returns {import("../state/state.js").Racer} the racer of a cell of the map */
export function racerAt(racer, other, lr, value) {
  const options = { ...racer.options, lr };
  if (other?.option === "betas") {
    const [, second] = racer.options.betas ?? optionOf(racer.optimizer, "betas").default;
    options.betas = [value, second];
  } else if (other) options[other.option] = value;
  if (value === 0 && options.nesterov) options.nesterov = false; // the same step, by another name
  return { ...racer, options };
}

/** @returns {number} where a racer stands on the second axis */
export function momentumOf(racer, other) {
  const value = racer.options[other.option] ?? optionOf(racer.optimizer, other.option).default;
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Maps how far a racer comes, over its learning rate and its momentum. Every eighth cell first, then those
 * between, each shown in the place of its neighbours until they are done.
 *
 * @param {import("../state/state.js").Racer} racer
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number[]} start
 * @param {number} steps
 * @param {{ columns?: number, rows?: number, lr?: [number, number], other?: [number, number] }} [grid]
 * @param {{ signal?: AbortSignal, progress?: (map: PhaseMap, done: number) => void }} [options] `progress`
 *   gets the map as far as it is known, and a fraction from 0 to 1
 * @returns {Promise<PhaseMap>}
 */
export async function phase(racer, surface, start, steps, grid = {}, { signal, progress } = {}) {
  signal?.throwIfAborted();
  const map = blank(racer, steps, grid);
  const breath = new Breath(signal);
  const floor = floorOf(surface);
  const height = Math.max(surface.f(...start) - floor, 1e-12); // a start at the minimum is no division by 0
  let [done, told] = [0, 0];
  for (let stride = COARSEST; stride >= 1; stride /= 2) {
    for (const [row, column] of cells(map, stride)) {
      const there = racerAt(racer, map.other, map.lr.values[column], map.other?.values[row]);
      const loss = await outcome(there, surface, start, steps, breath);
      fill(map, row, column, stride, loss === Infinity ? loss : gained(loss - floor, height));
      done++;
      if (breath.due) await breath.rest();
      if (breath.rests > told) progress?.(map, done / map.values.length);
      told = breath.rests;
    }
  }
  progress?.(map, 1);
  return map;
}

const gained = (end, height) => Math.max(LOWEST, Math.log10(Math.max(end, 0) / height));

function blank(racer, steps, { columns = 48, rows = 32, lr, other = [0, 0.99] }) {
  const [low, high] = lr ?? [racer.options.lr / 1000, racer.options.lr * 100];
  const option = momentumOption(racer.optimizer);
  const height = option ? rows : 1;
  const spread = (from, to, count, i) => (count > 1 ? from + ((to - from) * i) / (count - 1) : to);
  const rate = (_, i) => Math.exp(spread(Math.log(low), Math.log(high), columns, i));
  return {
    lr: { name: "lr", values: Float64Array.from({ length: columns }, rate) },
    other: option && {
      ...option,
      values: Float64Array.from({ length: rows }, (_, i) => spread(...other, rows, i)),
    },
    columns,
    rows: height,
    values: new Float64Array(columns * height).fill(NaN),
    evaluations: columns * height * steps,
  };
}

/** The cells of a pass that no coarser pass had. */
function* cells({ columns, rows }, stride) {
  const before = 2 * stride;
  for (let row = 0; row < rows; row += stride) {
    for (let column = 0; column < columns; column += stride) {
      if (stride === COARSEST || row % before || column % before) yield [row, column];
    }
  }
}

function fill({ values, columns, rows }, row, column, stride, value) {
  for (let r = row; r < Math.min(row + stride, rows); r++) {
    values.fill(value, r * columns + column, r * columns + Math.min(column + stride, columns));
  }
}
