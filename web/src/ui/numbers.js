/**
 * A number as a person would write it: few digits, a power of ten where zeros would have to be counted.
 *
 * @param {number} value
 * @param {number} [digits]
 * @returns {string}
 */
export function short(value, digits = 3) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text =
    size >= 1e4 || size < 1e-3 ? scientific(value, digits) : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
}

function scientific(value, digits) {
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return `${Number(mantissa)}e${Number(exponent)}`;
}

/**
 * A number for a field a person edits: plain ASCII that reads back as the same number to 6 digits.
 *
 * @param {number} value
 * @returns {string}
 */
export function editable(value) {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : String(value);
  const rounded = Number(value.toPrecision(6));
  const size = Math.abs(rounded);
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? rounded.toExponential().replace("e+", "e")
    : String(rounded);
}

/**
 * What a person typed as a number, or null. A comma is that of a decimal fraction, or, in whole numbers, sets
 * thousands apart.
 *
 * @param {string} text
 * @param {boolean} [integer]
 * @returns {number | null}
 */
export function parse(text, integer = false) {
  const plain = (integer ? text.replace(/,(?=\d{3}(?!\d))/g, "") : text)
    .trim()
    .replace("−", "-")
    .replace(",", ".")
    .replace(/^\+/, "");
  if (/^inf(inity)?$|^∞$/i.test(plain)) return Infinity;
  return /^-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : null;
}

/** A whole number with thousands set apart, as in "4,000". */
export function whole(value) {
  return Math.round(value).toLocaleString("en-US");
}

/** Rounds to a few significant digits: positions of a slider become numbers one can say. */
function tidy(value, digits = 2) {
  return Number(value.toPrecision(digits));
}

/**
 * How positions of a slider, 0 to 1, become values and back. `zero` is a log scale that starts with 0,
 * `decay` counts the decades of 1 − value, as momentum and betas are chosen.
 */
const SCALES = {
  linear: (min, max) => ({
    at: (value) => (value - min) / (max - min),
    value: (share) => tidy(min + share * (max - min), 3),
  }),
  log: (min, max) => ({
    at: (value) => Math.log(value / min) / Math.log(max / min),
    value: (share) => tidy(min * (max / min) ** share),
  }),
  zero: (min, max) => ({
    at: (value) => (value < min ? 0 : 0.04 + 0.96 * (Math.log(value / min) / Math.log(max / min))),
    value: (share) => (share < 0.02 ? 0 : tidy(min * (max / min) ** Math.max(0, (share - 0.04) / 0.96))),
  }),
  decay: (min, max) => ({
    at: (value) => Math.log(1 - value) / Math.log(1 - max),
    value: (share) => 1 - tidy((1 - max) ** share),
  }),
};

/**
 * A slider's scale over a range.
 *
 * @param {"linear" | "log" | "zero" | "decay"} kind
 * @param {number} min
 * @param {number} max
 * @returns {{ at: (value: number) => number, value: (share: number) => number }}
 */
export function scale(kind, min, max) {
  const made = SCALES[kind](min, max);
  return {
    at: (value) => Math.min(1, Math.max(0, made.at(value) || 0)),
    value: (share) => Number(made.value(share).toPrecision(6)),
  };
}
