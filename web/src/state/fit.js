/** Options as the library's specifications want them: what does not fit goes back to its default, with a sentence. */

import { writeValue } from "./calls.js";

/** @param {{kind?: string, default?: *}} spec @returns {string} its kind, or the one its default shows */
function kindOf(spec) {
  if (spec.kind) return spec.kind;
  if (Array.isArray(spec.default)) return "pair";
  return { boolean: "boolean", string: "choice" }[typeof spec.default] ?? "number";
}

/** @param {string} interval in mathematical notation, such as "[0, inf)" @returns {boolean} */
export function within(value, interval) {
  if (!interval) return Number.isFinite(value);
  const [low, high] = interval.slice(1, -1).split(",").map((end) => Number(end.replace("inf", "Infinity")));
  const above = interval.startsWith("[") ? value >= low : value > low;
  const below = interval.endsWith("]") ? value <= high : value < high;
  return typeof value === "number" && above && below;
}

function fits(spec, value) {
  const interval = spec.interval?.replace(" or None", "");
  if (value === null) return spec.default === null || interval !== spec.interval;
  switch (kindOf(spec)) {
    case "boolean":
      return typeof value === "boolean";
    case "choice":
      return typeof value === "string" && (!spec.choices || spec.choices.includes(value));
    case "pair": {
      const parts = interval?.split(" x ") ?? [];
      return Array.isArray(value) && value.length === 2 && value.every((v, i) => within(v, parts[i]));
    }
    case "list":
      return Array.isArray(value) && value.length > 0 && value.length <= 50 && value.every(Number.isInteger);
    case "integer":
      return Number.isInteger(value) && within(value, interval);
    default:
      return within(value, interval);
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
 * @param {Array<{name: string, default: *, kind?: string, interval?: string, choices?: string[]}>} specs
 * @param {object} given
 * @param {string[]} notes where the sentences go
 * @returns {object} the options that fit and differ from their defaults, in the order of the specifications
 */
export function fitOptions(owner, specs, given, notes) {
  const options = {};
  for (const spec of specs) {
    const value = given?.[spec.name];
    if (value === undefined || same(value, spec.default)) continue;
    if (fits(spec, value)) options[spec.name] = plain(value);
    else notes.push(refusal(owner, spec, value));
  }
  for (const name of Object.keys(given ?? {})) {
    if (!specs.some((spec) => spec.name === name)) notes.push(`${owner} has no option ${shown(name)}.`);
  }
  return options;
}

function refusal(owner, spec, value) {
  const wanted = spec.choices ? `one of ${spec.choices.join(", ")}` : spec.interval && `in ${spec.interval}`;
  const instead = spec.default === undefined ? "It was left out." : `It is ${writeValue(spec.default)} now.`;
  const why = wanted ? `must be ${wanted}, not ${shown(value)}` : `cannot be ${shown(value)}`;
  return `${owner}: ${spec.name} ${why}. ${instead}`;
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
