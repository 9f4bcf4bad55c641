import { FormulaError } from "./error.js";

/** Characters of a formula. */
export const LONGEST = 400;
const PREFIX = /^(?:torch|np|numpy|math|Math)\./; // of pasted code
const NAME = /(?:(?:torch|np|numpy|math|Math)\.)?[A-Za-z_][A-Za-z_0-9]*/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const SUPERSCRIPT = /[⁰¹²³⁴-⁹]+/y;
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const SIGNS = new Map([..."+-*/^(),"].map((sign) => [sign, sign]));
// What word processors and other pages make of the signs.
for (const [like, sign] of [["−", "-"], ["–", "-"], ["×", "*"], ["·", "*"], ["⋅", "*"], ["÷", "/"]]) {
  SIGNS.set(like, sign);
}

/** What to type instead of a sign that is not known. */
const HINTS = new Map([
  ["|", "Write abs(x) for |x|."],
  ["=", "Type only what f is, without “f =”."],
  ["[", "Use round parentheses."],
  ["{", "Use round parentheses."],
  ["√", "Write sqrt(x) for the root of x."],
]);

/**
 * @typedef {object} Token
 * @property {"number"|"name"|"sign"|"end"} kind
 * @property {string|number} value
 * @property {number} at the position of the first character
 * @property {number} length
 */

/**
 * The tokens of a formula; the last one has the kind "end".
 *
 * @param {string} text
 * @returns {Token[]}
 */
export function tokens(text) {
  if (text.length > LONGEST) {
    throw new FormulaError(
      `This has ${text.length} characters; a formula may have ${LONGEST}.`, LONGEST, text.length - LONGEST,
    );
  }
  const found = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at])) {
      at += 1;
      continue;
    }
    const [next, length] = token(text, at);
    found.push(...next.map(([kind, value]) => ({ kind, value, at, length })));
    at += length;
  }
  found.push({ kind: "end", value: "", at: text.length, length: 0 });
  return found;
}

function match(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** What stands at a position, as a list of [kind, value], and how many characters that is. */
function token(text, at) {
  const number = match(NUMBER, text, at);
  if (number) return [[["number", finite(number, at)]], number.length];
  const name = match(NAME, text, at);
  if (name) return [[["name", name.replace(PREFIX, "")]], name.length];
  const raised = match(SUPERSCRIPT, text, at);
  if (raised) {
    const digits = [...raised].map((digit) => SUPERSCRIPTS.indexOf(digit)).join("");
    return [[["sign", "^"], ["number", finite(digits, at)]], raised.length];
  }
  if (text[at] === "π") return [[["name", "pi"]], 1];
  if (text.startsWith("**", at)) return [[["sign", "^"]], 2];
  const sign = SIGNS.get(text[at]);
  if (sign) return [[["sign", sign]], 1];
  const character = String.fromCodePoint(text.codePointAt(at));
  const hint = HINTS.get(character) ?? `I don't know what to do with “${character}” here.`;
  throw new FormulaError(hint, at, character.length);
}

function finite(digits, at) {
  const value = Number(digits);
  if (Number.isFinite(value)) return value;
  throw new FormulaError(`${digits} is too large a number.`, at, digits.length);
}
