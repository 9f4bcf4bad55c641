/** The factor of the learning rate at each step: a warm-up, then a shape. */

import { schedules } from "../generated/library.js";
import { entry, filled } from "./check.js";

/**
 * The schedule of a racer.
 * @param {number} warmup steps of a linear rise from 0; none if 0
 * @param {{name: string, options?: object} | null} shape
 * @returns {(step: number) => number} the factor of each step, counted from 0
 */
export function schedule(warmup, shape) {
  const made = scheduleOf(warmup, shape);
  return made === null ? () => 1 : (step) => made.at(step);
}

/** The same as an object of the library, with `at(step)`, `steps`, `after` and `span()`; null if none. */
export function scheduleOf(warmup, shape) {
  const rise = warmup > 0 ? schedules.warmup.make({ steps: warmup }) : null;
  if (shape === null) return rise;
  const { name, options = {} } = shape;
  const kind = entry(schedules, name, "schedule");
  const made = kind.make(filled(name, kind.arguments, options));
  return rise === null ? made : rise.then(made);
}
