/** Checking options: nonsense is refused with a sentence that can stand beside its field. */

/** An option that makes no sense; `option` is its name where one is to blame. */
export class UserError extends Error {
  constructor(message, option = null) {
    super(message);
    this.option = option;
  }
}

/** A gradient that is infinite or NaN, where a transform was asked to look. */
export class FloatingPointError extends Error {}

/**
 * An interval in words.
 * @param {string} interval such as "[0, 1)" or "(0, inf)"
 * @returns {string} such as "from 0 to below 1" or "more than 0"
 */
export function inWords(interval) {
  const [low, high] = ends(interval);
  const from = interval[0] === "[";
  const to = interval.at(-1) === "]";
  if (high === Infinity && low === -Infinity) return "of any size";
  if (high === Infinity) return from ? `of ${low} or more` : `above ${low}`;
  if (low === -Infinity) return to ? `of ${high} or less` : `below ${high}`;
  if (from) return `from ${low} to ${to ? high : `below ${high}`}`;
  return to ? `above ${low} and at most ${high}` : `between ${low} and ${high}, both excluded`;
}

/**
 * Whether a number lies within an interval.
 * @param {number} value
 * @param {string} interval in mathematical notation
 */
export function within(value, interval) {
  const [low, high] = ends(interval);
  const above = interval[0] === "[" ? value >= low : value > low;
  return above && (interval.at(-1) === "]" ? value <= high : value < high);
}

/** The two ends of an interval. @param {string} interval @returns {[number, number]} */
export function ends(interval) {
  return interval.slice(1, -1).split(",").map((end) => Number(end.trim().replace("inf", "Infinity")));
}

/** Refuse a value that is not a number within an interval, as the library's function of this name does. */
export function check_value(owner, name, value, interval) {
  if (typeof value === "number" && within(value, interval)) return;
  const option = name.replace(/\[\d\]$/, "");
  const shown = name.replace(/^(.*)\[0\]$/, "the first of $1").replace(/^(.*)\[1\]$/, "the second of $1");
  throw new UserError(`${shown} is a number ${inWords(interval)}${got(value)}`, option);
}

/** Check every option that has an interval; that of a pair is a product, "[0, 1) x [0, 1)". */
export function check_options(owner, options, intervals) {
  for (const [name, interval] of Object.entries(intervals)) {
    const parts = interval.split(" x ");
    const value = options[name];
    if (parts.length === 1) check_value(owner, name, value, interval);
    else if (!Array.isArray(value) || value.length !== parts.length) {
      throw new UserError(`${name} is a pair of numbers${got(value)}`, name);
    } else parts.forEach((part, i) => check_value(owner, `${name}[${i}]`, value[i], part));
  }
}

function got(value) {
  if (value === null || value === undefined || value === "") return "";
  return typeof value === "number" && Number.isNaN(value) ? "" : `, not ${value}`;
}

/**
 * Options with the defaults filled in, each of its kind.
 * @param {string} owner what they belong to
 * @param {object[]} specs the options there are, as the library lists them
 * @param {object} given those that were chosen
 * @returns {object}
 */
export function filled(owner, specs, given) {
  const names = specs.map((spec) => spec.name);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    throw new UserError(`${owner} has no option ${name}${near(name, names)}`, name);
  }
  return Object.fromEntries(specs.map((spec) => [spec.name, valueOf(owner, spec, given[spec.name])]));
}

function valueOf(owner, spec, given) {
  if (given === undefined) {
    if (spec.required) throw new UserError(`${owner} needs ${spec.name}`, spec.name);
    return spec.default;
  }
  const wanted = WANTED[spec.kind];
  if (given === null && spec.default === null && !spec.required) return null;
  if (!wanted.fits(given, spec)) {
    throw new UserError(`${spec.name} is ${wanted.words(spec)}${got(given)}`, spec.name);
  }
  if (spec.kind === "pair") check_options(owner, { [spec.name]: given }, { [spec.name]: spec.interval });
  return given;
}

const inInterval = (fits) => (value, spec) => fits(value) && (!spec.interval || within(value, spec.interval));
const sized = (spec) => (spec.interval ? ` ${inWords(spec.interval)}` : "");
const isNumber = (value) => typeof value === "number" && !Number.isNaN(value);
const WANTED = {
  number: { fits: inInterval(isNumber), words: (spec) => `a number${sized(spec)}` },
  integer: { fits: inInterval(Number.isInteger), words: (spec) => `a whole number${sized(spec)}` },
  boolean: { fits: (value) => typeof value === "boolean", words: () => "either on or off" },
  choice: {
    fits: (value, spec) => spec.choices.includes(value),
    words: (spec) => `one of ${spec.choices.join(", ")}`,
  },
  pair: {
    fits: (value) => Array.isArray(value) && value.length === 2 && value.every(isNumber),
    words: () => "a pair of numbers",
  },
  integers: {
    fits: (value) => Array.isArray(value) && value.every(Number.isInteger),
    words: () => "a list of whole numbers",
  },
};

/**
 * An entry of a table, or an error that names near ones.
 * @param {object} table
 * @param {string} name
 * @param {string} kind what the entries are, such as "optimizer"
 */
export function entry(table, name, kind) {
  if (Object.hasOwn(table, name)) return table[name];
  throw new UserError(`There is no ${kind} called ${name}${near(name, Object.keys(table))}`);
}

function near(name, names) {
  const lower = String(name).toLowerCase();
  const scored = names.map((other) => [distance(lower, other.toLowerCase()), other]);
  const [[least, best]] = scored.sort((a, b) => a[0] - b[0]);
  const close = least <= Math.max(2, lower.length / 3);
  return close ? `; did you mean ${best}?` : `; there are ${names.join(", ")}`;
}

/** Letters to insert, delete or exchange to get from one text to another. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
