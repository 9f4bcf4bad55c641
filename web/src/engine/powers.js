/**
 * Whole powers of a number between 0 and 1, such as β ** t, each rounded once, as the mathematical library
 * under Python has them. Math.pow may be off in the last digit, and where 1 - β ** t is small that digit
 * becomes the thirteenth.
 */

const MOST = 10_000; // exponents: the steps of a race
const KEPT = 64; // tables, one for each base that was asked for
const SPLIT = 2 ** 27 + 1; // Dekker 1971: parts of a factor whose products are exact

const tables = new Map();
let last = { base: NaN };

/** Whether `wholePower` has a ** b. @param {number} a @param {number} b */
export const isWhole = (a, b) => a > 0 && a < 1 && b >= 0 && b <= MOST && Number.isInteger(b);

/** a ** b, where `isWhole` says so. @param {number} a @param {number} b @returns {number} */
export function wholePower(a, b) {
  if (last.base !== a) last = tableOf(a);
  while (last.powers.length <= b) multiply(last);
  return last.powers[b];
}

function tableOf(base) {
  if (!tables.has(base)) {
    if (tables.size === KEPT) tables.clear();
    tables.set(base, { base, parts: parts(base), powers: [1], rest: 0 });
  }
  return tables.get(base);
}

/** A number as the sum of two with half its digits. */
function parts(x) {
  const high = SPLIT * x - (SPLIT * x - x);
  return [high, x - high];
}

/** The next power: the last one and its rest, which together have twice the digits, times the base. */
function multiply(table) {
  const { base, powers, rest } = table;
  const power = powers[powers.length - 1];
  const [high, low] = table.parts;
  const [h, l] = parts(power);
  const product = power * base;
  const lost = h * high - product + h * low + l * high + l * low + rest * base;
  const rounded = product + lost;
  table.rest = lost - (rounded - product);
  powers.push(rounded);
}
