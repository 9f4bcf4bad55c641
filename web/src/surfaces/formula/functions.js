import { sigmoid, softplus } from "../numbers.js";

/**
 * @typedef {object} Operation
 * @property {1|2} takes how many arguments
 * @property {(a: number, b: number) => number} value
 * @property {(v: number, a: number, b: number) => number} [first] the derivative by a; v is the value
 * @property {(v: number, a: number, b: number) => number} [second] the derivative by b
 * @property {boolean} [many] more than two arguments are taken two by two
 * @property {string} [python] where torch calls it otherwise
 *
 * At a kink the derivative is the one torch takes, which is one of the slopes on either side or between
 * them: 0 for abs, relu and sign at 0, and a half for each argument of min and max where both are equal.
 * hypot(0, 0) has the derivative 0.
 */
const one = (value, first, more = {}) => ({ takes: 1, value, first, ...more });
const two = (value, first, second, more = {}) => ({ takes: 2, value, first, second, ...more });
const half = (a, b, wins) => (a === b ? 0.5 : wins ? 1 : 0);

/** By base and by exponent, with torch's conventions where a logarithm of 0 or a power of 0 comes up. */
const byBase = (v, a, b) => (b === 0 ? 0 : b * Math.pow(a, b - 1));
const byExponent = (v, a, b) => (a === 0 && b >= 0 ? 0 : v * Math.log(a));

/** Functions that can be typed, by name. @type {Map<string, Operation>} */
export const functions = new Map(Object.entries({
  sin: one(Math.sin, (v, a) => Math.cos(a)),
  cos: one(Math.cos, (v, a) => -Math.sin(a)),
  tan: one(Math.tan, (v) => 1 + v * v),
  asin: one(Math.asin, (v, a) => 1 / Math.sqrt(1 - a * a)),
  acos: one(Math.acos, (v, a) => -1 / Math.sqrt(1 - a * a)),
  atan: one(Math.atan, (v, a) => 1 / (1 + a * a)),
  sinh: one(Math.sinh, (v, a) => Math.cosh(a)),
  cosh: one(Math.cosh, (v, a) => Math.sinh(a)),
  tanh: one(Math.tanh, (v) => 1 - v * v),
  exp: one(Math.exp, (v) => v),
  log: one(Math.log, (v, a) => (a < 0 ? NaN : 1 / a)),
  sqrt: one(Math.sqrt, (v) => 0.5 / v),
  abs: one(Math.abs, (v, a) => Math.sign(a)),
  sign: one(Math.sign, () => 0),
  relu: one((a) => (a > 0 ? a : a <= 0 ? 0 : NaN), (v, a) => (a > 0 ? 1 : 0)),
  sigmoid: one(sigmoid, (v) => v * (1 - v)),
  softplus: one(softplus, (v, a) => sigmoid(a)),
  min: two(Math.min, (v, a, b) => half(a, b, a < b), (v, a, b) => half(a, b, b < a), {
    many: true, python: "minimum",
  }),
  max: two(Math.max, (v, a, b) => half(a, b, a > b), (v, a, b) => half(a, b, b > a), {
    many: true, python: "maximum",
  }),
  hypot: two(Math.hypot, (v, a) => (v === 0 ? 0 : a / v), (v, a, b) => (v === 0 ? 0 : b / v)),
  pow: two(Math.pow, byBase, byExponent),
}));

/** What the signs do; the tape has the slopes of those without. @type {Map<string, Operation>} */
export const operators = new Map(Object.entries({
  add: two((a, b) => a + b),
  sub: two((a, b) => a - b),
  mul: two((a, b) => a * b),
  div: two((a, b) => a / b, (v, a, b) => 1 / b, (v, a, b) => -v / b),
  neg: one((a) => -a, () => -1),
  square: one((a) => a * a),
}));

/** Other names for the same. */
export const aliases = new Map([
  ["ln", "log"],
  ["arcsin", "asin"],
  ["arccos", "acos"],
  ["arctan", "atan"],
  ["minimum", "min"],
  ["maximum", "max"],
  ["logistic", "sigmoid"],
]);

export const constants = new Map([
  ["pi", Math.PI],
  ["e", Math.E],
]);

export const variables = ["x", "y"];
