// Figures of the inspector: four significant digits that stand still while numbers change.

import { typeset } from "../chart-scale.js";

const ROUNDING = 1e-13; // of the arithmetic: 0.1 + 0.2 is as exact as 0.3

/**
 * A number in as many digits as asked, and in fewer where it is exact in fewer: 0.9, but 0.1230.
 * @param {number} value @param {number} [digits] @returns {string}
 */
export function figure(value, digits = 4) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  const far = size !== 0 && (size < 1e-3 || size >= 1e5);
  if (Math.abs(rounded - value) <= ROUNDING * size)
    return typeset(far ? rounded.toExponential().replace("e+", "e") : String(rounded));
  if (far) return typeset(value.toExponential(digits - 1).replace("e+", "e"));
  return typeset(value.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(size)))));
}

/** Every digit of a number, for a title. @param {number} value */
export const exact = (value) => typeset(String(value));
