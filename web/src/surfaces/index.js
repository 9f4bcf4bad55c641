// The surfaces that the racers run on. A family is one file: its texts and parameters, and `make`, which
// gives the function of chosen parameters.
import { beale } from "./beale.js";
import { cliff } from "./cliff.js";
import { formula } from "./formula.js";
import { himmelblau } from "./himmelblau.js";
import { linear } from "./linear.js";
import { logistic } from "./logistic.js";
import { monkey } from "./monkey.js";
import { plateau } from "./plateau.js";
import { quadratic } from "./quadratic.js";
import { rastrigin } from "./rastrigin.js";
import { recurrent } from "./recurrent.js";
import { rosenbrock } from "./rosenbrock.js";
import { saddle } from "./saddle.js";
import { slice } from "./slice.js";
import { valley } from "./valley.js";

export { FormulaError } from "./formula/error.js";
export { withPenalty } from "./penalty.js";

/**
 * @typedef {object} Parameter
 * @property {string} name
 * @property {string} label
 * @property {number} default
 * @property {number} min
 * @property {number} max
 * @property {"linear"|"log"} scale of its slider
 * @property {boolean} [integer]
 *
 * @typedef {object} Surface
 * @property {string} id
 * @property {string} label
 * @property {[string, string]} names of the coordinates
 * @property {(x: number, y: number) => number} f
 * @property {(p: ArrayLike<number>, out: Float64Array) => void} gradient of f, over all samples
 * @property {number} samples 0, or how many the loss is a mean over
 * @property {(p: ArrayLike<number>, indices: ArrayLike<number>, out: Float64Array) => void} batch the
 *   gradient of the mean over these samples; the full gradient on a surface without samples
 * @property {{ x: number, y: number, label?: 0|1 }[]} [points] the data: the line w x + b belongs through
 *   them, or, with labels, the line w1 x + w2 y = 0 between them
 * @property {[number, number, number, number]} box x from, x to, y from, y to: what to show
 * @property {[number, number]} start
 * @property {[number, number][]} minima the lowest points, as far as they are known
 * @property {"log"|"linear"} height the scale for levels: of f above its lowest value, or of f
 * @property {string|null} expression Python text of f over tensors x and y
 * @property {string} [sampleExpression] Python text of the losses of the samples, whose mean f is
 * @property {string} [text] a formula as it was understood
 * @property {[string, string]} [axes] what the axes of a measured slice are
 * @property {[number, number, number|null][]} [path] x, y and loss of a training, on a measured slice
 * @property {boolean} [measured] whether there is nothing outside its box
 * @property {(x: number, y: number) => boolean} inside false outside a measured slice
 */

/** Every family, in the order of the menu. */
export const surfaces = [
  quadratic,
  rosenbrock,
  valley,
  beale,
  himmelblau,
  rastrigin,
  saddle,
  monkey,
  plateau,
  cliff,
  recurrent,
  linear,
  logistic,
  formula,
  slice,
];

/** What is shown while a formula cannot be read, or a slice is not here. */
export const standIn = () => createSurface("rosenbrock");

/** The value of each parameter: what was given, within its bounds, or the default. */
function filled(family, given = {}) {
  const values = {};
  for (const { name, default: usual, min, max, integer } of family.parameters) {
    const value = Number.isFinite(given[name]) ? given[name] : usual;
    const bounded = Math.min(max, Math.max(min, value));
    values[name] = integer ? Math.round(bounded) : bounded;
  }
  return values;
}

/**
 * A surface of a family.
 *
 * @param {string} id of the family
 * @param {Record<string, number>} [parameters] those that are not given have their defaults
 * @param {{ slices?: object[], formula?: string }} [yours] measured planes, and what was typed
 * @returns {Surface}
 */
export function createSurface(id, parameters = {}, { slices = [], formula = "" } = {}) {
  const family = surfaces.find((one) => one.id === id);
  if (!family) throw new Error(`There is no surface called “${id}”.`);
  const made = family.make(filled(family, parameters), { slices, formula });
  return {
    id,
    label: family.label,
    names: ["x", "y"],
    samples: 0,
    batch: (p, indices, out) => made.gradient(p, out),
    inside: () => true,
    ...made,
  };
}
