/** What tests of races begin with: a racer, a ravine, and how near two numbers have to be. */

import assert from "node:assert/strict";

import { normalize } from "../src/state/state.js";
import { createSurface } from "../src/surfaces/index.js";

export const racerOf = (optimizer, options = {}, rest = {}) => {
  const state = normalize({ racers: [{ optimizer, options, ...rest }] });
  assert.deepEqual(state.notes, []);
  return state.racers[0];
};

export const close = (value, wanted, relative) =>
  assert.ok(
    Math.abs(value - wanted) <= relative * Math.abs(wanted),
    `${value} is not within ${relative} of ${wanted}`,
  );

export const quadratic = (condition) => createSurface("quadratic", { condition });
