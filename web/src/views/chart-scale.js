// Scales from data to pixels, and the round numbers at which their axes are marked.

const MINUS = "\u2212";
const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const FAR = 4000; // pixels; a line that leaves the frame keeps its slope, and the canvas its precision

/**
 * @typedef {{ low: number, high: number, start: number, end: number, log: boolean,
 *   at: (value: number) => number, invert: (pixel: number) => number }} Scale
 */

/**
 * A map from data to pixels, linear or logarithmic. On a logarithmic one, zero and below lie beyond the low
 * end.
 * @param {number} low @param {number} high @param {number} start @param {number} end @param {boolean} [log]
 * @returns {Scale}
 */
export function scale(low, high, start, end, log = false) {
  const [a, b] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const factor = b > a ? (end - start) / (b - a) : 0;
  const beyond = start - Math.sign(end - start || 1) * FAR;
  const at = (value) => {
    if (log && value <= 0) return beyond;
    const pixel = start + ((log ? Math.log(value) : value) - a) * factor;
    return Math.min(Math.max(pixel, -FAR), FAR);
  };
  const invert = (pixel) => {
    const value = a + (factor ? (pixel - start) / factor : 0);
    return log ? Math.exp(value) : value;
  };
  return { low, high, start, end, log, at, invert };
}

/** A linear range with air around it; a single value gets a range too. @returns {[number, number]} */
export function padded(low, high, share = 0.06) {
  const gap = (high - low) * share || Math.abs(high) * 0.05 || 1;
  return [low - gap, high + gap];
}

/** Round numbers inside a range, about as many as wanted. @returns {number[]} */
export function ticks(low, high, wanted = 5) {
  if (!(high > low)) return [low];
  const raw = (high - low) / Math.max(wanted, 1);
  const ten = 10 ** Math.floor(Math.log10(raw));
  const nearness = (m) => Math.abs(Math.log((m * ten) / raw));
  const step = ten * [1, 2, 5, 10].reduce((best, m) => (nearness(m) < nearness(best) ? m : best));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Round steps to count in: as `ticks`, but whole. @returns {number[]} */
export const wholeTicks = (low, high, wanted) => ticks(low, high, wanted).filter(Number.isInteger);

/**
 * Powers of ten inside a range, thinned to about as many as wanted; 1, 2 and 5 of each where there are less
 * than three.
 * @returns {number[]}
 */
export function logTicks(low, high, wanted = 5) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last - first < 2) return fineTicks(low, high, wanted);
  const every = Math.max(1, Math.ceil((last - first) / wanted));
  const found = [];
  for (let i = Math.ceil(first / every) * every; i <= last; i += every) found.push(Number(`1e${i}`));
  return found;
}

/** 1, 2 and 5 of each decade, or linear ticks where the range is narrower still. */
function fineTicks(low, high, wanted) {
  const found = [];
  for (let i = Math.floor(Math.log10(low)); i <= Math.ceil(Math.log10(high)); i += 1) {
    for (const digit of [1, 2, 5]) found.push(Number(`${digit}e${i}`));
  }
  const inside = found.filter((value) => value >= low && value <= high);
  if (inside.length > wanted + 2) return inside.filter((value) => Math.abs(Math.log10(value) % 1) < 1e-9);
  return inside.length > 1 ? inside : ticks(low, high, wanted).filter((value) => value > 0);
}

/** Labels with the decimals that tell linear ticks apart. @param {number[]} values @returns {string[]} */
export function tickTexts(values) {
  const gap = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0]) || 1;
  const largest = Math.max(...values.map(Math.abs));
  if (largest >= 1e5 || (largest > 0 && largest < 1e-3)) return values.map(scientific);
  const places = Math.min(8, Math.max(0, -Math.floor(Math.log10(gap) + 1e-9)));
  return values.map((value) =>
    typeset(value.toFixed(places)).replace(new RegExp(`^${MINUS}(0\\.?0*)$`), "$1"),
  );
}

const scientific = (value) =>
  value === 0 ? "0" : typeset(Number(value.toPrecision(3)).toExponential().replace("e+", "e"));

/** Labels of logarithmic ticks: plain numbers, or 10ⁿ where one of them would be long. @returns {string[]} */
export function logTickTexts(values) {
  const powers = values.every((value) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9);
  const plain = values.every((value) => value >= (powers ? 1e-3 : 1e-4) && value < 1e5);
  if (plain) return values.map((value) => String(value));
  return values.map((value) => (powers ? power(Math.round(Math.log10(value))) : scientific(value)));
}

/** A power of ten, such as 10⁻³. @param {number} exponent */
export const power = (exponent) => `10${[...String(exponent)].map((c) => RAISED[c]).join("")}`;

/** A number's source text with true minus signs. @param {string} text */
export const typeset = (text) => text.replaceAll("-", MINUS);
