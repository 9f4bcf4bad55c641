/**
 * Options as the library's specifications want them: what does not fit goes back to its default, with a
 * sentence.
 */

import { check_options, filled } from "../engine/check.js";
import { writeValue } from "./calls.js";

/** @returns {string|null} why an option cannot have a value */
function misfit(owner, spec, value) {
  const given = { [spec.name]: value };
  try {
    filled(owner, [spec], given);
    if (spec.interval && value !== null) check_options(owner, given, { [spec.name]: spec.interval });
    return null;
  } catch (error) {
    return error.message;
  }
}

/** @returns {boolean} whether two option values are the same */
export const same = (a, b) => a === b || (Array.isArray(a) && Array.isArray(b) && String(a) === String(b));

const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "number" ? value + 0 : value; // no -0: a link could not say it
};

/**
 * @param {string} owner for the sentences
 * @param {Array<{name: string, default: *, required: boolean, kind: string, interval: string|null,
 *   choices: string[]|null}>} specs
 * @param {object} given
 * @param {string[]} notes where the sentences go
 * @returns {object} the options that fit and differ from their defaults, in the order of the specifications
 */
export function fitOptions(owner, specs, given, notes) {
  const options = {};
  for (const spec of specs) {
    const value = given?.[spec.name];
    if (value === undefined || same(value, spec.default)) continue;
    const why = misfit(owner, spec, value);
    if (why === null) options[spec.name] = plain(value);
    else notes.push(`${owner}: ${why}.${spec.required ? "" : ` It is ${writeValue(spec.default)} now.`}`);
  }
  for (const name of Object.keys(given ?? {})) {
    if (!specs.some((spec) => spec.name === name)) notes.push(`${owner} has no option ${shown(name)}.`);
  }
  return options;
}

/** @returns {string} any value, short enough for a sentence */
export function shown(value) {
  let text;
  try {
    text = typeof value === "number" || Array.isArray(value) ? writeValue(value) : String(value);
  } catch {
    text = typeof value;
  }
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

/**
 * @param {*} value
 * @param {{low: number, high: number, otherwise: number, whole?: boolean}} limits
 * @param {string} name for the sentence
 * @param {string[]} notes
 * @returns {number} within the limits; what is too small or too large is moved to the limit
 */
export function fitNumber(value, { low, high, otherwise, whole = false }, name, notes) {
  if (value === undefined) return otherwise;
  const given = typeof value === "number" && !Number.isNaN(value) ? value : null;
  if (given === null) {
    notes.push(`${name} must be a number, not ${shown(value)}. It is ${otherwise} now.`);
    return otherwise;
  }
  const fitted = Math.min(high, Math.max(low, whole ? Math.round(given) : given)) + 0;
  if (fitted !== given) notes.push(`${name} ${writeValue(given)} was changed to ${writeValue(fitted)}.`);
  return fitted;
}
