/**
 * What the printed library calls where JavaScript differs from Python: remainders, powers, the truth of an
 * empty list, the text of a number. Arithmetic that Python refuses is refused here too, by `ArithmeticError`.
 */

import { check_options, check_value, FloatingPointError, UserError } from "./check.js";
import { isWhole, wholePower } from "./powers.js";

export { check_options, check_value, FloatingPointError, UserError };

/** Scalars that have no value: 1 / 0, 0 ** -1, the root of a negative number. */
export class ArithmeticError extends Error {}

/** Stands for the default of an argument that must be given. */
export const MISSING = undefined;

/** a / b of scalars. */
export function divide(a, b) {
  if (b === 0) throw new ArithmeticError(`${a} is divided by zero`);
  return a / b;
}

/** a ** b of scalars. */
export function power(a, b) {
  if (isWhole(a, b)) return wholePower(a, b);
  const value = Math.pow(a, b);
  if (!Number.isFinite(value) && Number.isFinite(a) && Number.isFinite(b)) {
    throw new ArithmeticError(`${a} to the power of ${b} is no number`);
  }
  return value;
}

/** The square root of a scalar. */
export function root(x) {
  if (x < 0) throw new ArithmeticError(`${x} has no square root`);
  return Math.sqrt(x);
}

/** One of two scalars, of which both were computed. */
export function pick(condition, a, b) {
  return condition ? a : b;
}

/** The remainder with the sign of the divisor, as Python's %. */
export function mod(a, b) {
  if (b === 0) throw new ArithmeticError("modulo by zero");
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** The quotient rounded down, as Python's //. */
export function floordiv(a, b) {
  return Math.round((a - mod(a, b)) / b);
}

/** Quotient and remainder. */
export function divmod(a, b) {
  return [floordiv(a, b), mod(a, b)];
}

/** x times a power of two. */
export function ldexp(x, exponent) {
  return x * 2 ** exponent;
}

/** Whether a number is infinite. */
export function isinf(x) {
  return x === Infinity || x === -Infinity;
}

/** A number from a number or a text such as "inf"; anything else is a TypeError. */
export function float(value) {
  if (value === "inf") return Infinity;
  if (typeof value !== "number") throw new TypeError("not a number");
  return value;
}

/** A whole number as it is; anything else is a TypeError. */
export function index(value) {
  if (!Number.isInteger(value)) throw new TypeError("not a whole number");
  return value;
}

/** Whether Python takes a value for true. */
export function truth(value) {
  if (Array.isArray(value)) return value.length > 0;
  return Number.isNaN(value) || Boolean(value);
}

/** Whether a list holds a value, or a table a key. */
export function contains(container, value) {
  return Array.isArray(container) ? container.includes(value) : Object.hasOwn(container, value);
}

export function len(list) {
  return list.length;
}

export function sum(list) {
  return list.reduce((total, value) => total + Number(value), 0);
}

export function any(list) {
  return list.some(truth);
}

export function all(list) {
  return list.every(truth);
}

export function map(fn, list) {
  return Array.from(list, (value) => fn(value));
}

/** [a, b], [b, c], ... */
export function pairwise(list) {
  return list.slice(1).map((value, i) => [list[i], value]);
}

/** The parts with a separator between; of a table its keys. */
export function join(separator, parts) {
  return (Array.isArray(parts) ? parts : Object.keys(parts)).join(separator);
}

/** A number with six significant digits, as Python's :g. */
export function general(x) {
  if (!Number.isFinite(x)) return text(x);
  const exponent = x === 0 ? 0 : Math.floor(Math.log10(Math.abs(Number(x.toPrecision(6)))));
  if (exponent >= -4 && exponent < 6) return String(Number(x.toPrecision(6)));
  const [digits, power] = Number(x.toPrecision(6)).toExponential().split("e");
  return `${digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}

/** What Python's str gives, of what the page can hold. */
export function text(value) {
  return typeof value === "string" ? value : repr(value);
}

/** What Python's repr gives; whole numbers have no ".0", since JavaScript does not tell them apart. */
export function repr(value) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return `'${value}'`;
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return `(${value.map(repr).join(", ")}${value.length === 1 ? "," : ""})`;
  return typeof value.__repr__ === "function" ? value.__repr__() : String(value);
}

function number(x) {
  if (Number.isNaN(x)) return "nan";
  if (isinf(x)) return x > 0 ? "inf" : "-inf";
  const size = Math.abs(x);
  const written = x !== 0 && (size < 1e-4 || size >= 1e16) ? x.toExponential() : String(x);
  return written.replace(/e([+-])(\d)$/, "e$10$2");
}

/** The class of an object. */
export function type(value) {
  return value.constructor;
}

/** The fields of a dataclass. */
export function fields(value) {
  return value.constructor.fields;
}

/** Calls a function, or a schedule. */
export function call(callee, ...values) {
  return typeof callee === "function" ? callee(...values) : callee.at(...values);
}

/** An object of a class that has a constructor of its own. */
export function construct(kind, ...values) {
  const made = new kind();
  made.__init__(...values);
  return made;
}

/** An object of a dataclass, checked. */
export function record(kind, values = {}) {
  const made = new kind();
  for (const field of kind.fields) made[field.name] = values[field.name] ?? field.default ?? null;
  made.__post_init__();
  return made;
}

/** What wraps a step: a rule, the place where it works, its options and its check of a sum. */
export function transform(rule, { on, options = {}, check = null }) {
  return { rule, on, options, check };
}
