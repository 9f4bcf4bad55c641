import { Walk } from "./walk.js";

/**
 * @typedef {object} Path of a racer; entry n of x, y and loss is the point after n steps
 * @property {number} steps how many it took
 * @property {Float64Array} x
 * @property {Float64Array} y
 * @property {Float64Array} loss over all samples, whatever the racer sees
 * @property {Float64Array} gx the gradient used by each step, before any transform
 * @property {Float64Array} gy
 * @property {Float64Array} lr the rate of each step
 * @property {null | { step: number, why: "diverged"|"not finite"|"outside" }} ended where it could not go on
 * @property {number} evaluations of the gradient
 */

/**
 * Runs a racer. The same racer, surface and start always give the same path, bit by bit.
 *
 * @param {import("../state/state.js").Racer} racer
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number[]} start
 * @param {number} steps
 * @returns {Path}
 */
export function simulate(racer, surface, start, steps) {
  const walk = new Walk(racer, surface, start);
  const [x, y, loss] = [0, 1, 2].map(() => new Float64Array(steps + 1));
  const [gx, gy, lr] = [0, 1, 2].map(() => new Float64Array(steps));
  const { p, gradient } = walk.run;
  x[0] = p[0];
  y[0] = p[1];
  loss[0] = walk.loss;
  let taken = 0;
  let evaluations = 0;
  while (taken < steps && walk.ended === null) {
    walk.advance();
    evaluations++;
    if (walk.ended && (walk.taken === taken || !walk.drawable)) break;
    gx[taken] = gradient[0];
    gy[taken] = gradient[1];
    lr[taken] = walk.lr;
    taken++;
    x[taken] = p[0];
    y[taken] = p[1];
    loss[taken] = walk.loss;
  }
  return {
    steps: taken,
    ...cut({ x, y, loss }, taken + 1),
    ...cut({ gx, gy, lr }, taken),
    ended: walk.ended && { step: taken, why: walk.ended },
    evaluations,
  };
}

const cut = (arrays, length) =>
  Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.subarray(0, length)]));

/**
 * Goes to a step again, to look at the one that comes next: `run.explain(gradient, lr)`.
 *
 * @param {import("../state/state.js").Racer} racer
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number[]} start
 * @param {number} step how many steps were taken
 * @returns {{ run: object, gradient: (p: Float64Array, out: Float64Array) => void, lr: number }}
 */
export function rerun(racer, surface, start, step) {
  const walk = new Walk(racer, surface, start);
  while (walk.taken < step && walk.ended === null) walk.advance();
  walk.prepare();
  return { run: walk.run, gradient: walk.gradient, lr: walk.lr };
}
