/**
 * The small language of a link: `AdamW(lr=0.05,betas=(0.9,0.99))`, a name with values in parentheses.
 * Reading never throws and evaluates nothing; what cannot be read is null.
 */

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const WORD = /^[\w-]+$/;
const WORDS = { true: true, false: false, none: null, inf: Infinity, "-inf": -Infinity };
const DEEPEST = 3;

/**
 * Split a text where a separator stands outside all parentheses.
 * @param {string} text
 * @param {string} separator one character
 * @returns {string[]}
 */
function split(text, separator) {
  const parts = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")") depth--;
    else if (text[i] === separator && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, text.slice(from)];
}

/**
 * @param {number|boolean|null|string|Array} value
 * @returns {string} the shortest text that reads back as exactly this value
 */
export function writeValue(value) {
  if (Array.isArray(value)) return `(${value.map(writeValue).join(",")})`;
  if (value === null) return "none";
  if (value === Infinity || value === -Infinity) return value > 0 ? "inf" : "-inf";
  return String(value).replace("e+", "e");
}

/**
 * @param {string} text
 * @returns {number|boolean|null|string|Array|undefined} undefined for what cannot be read
 */
export function readValue(text, depth = 0) {
  const word = text.trim();
  if (word.startsWith("(") && word.endsWith(")") && depth < DEEPEST) {
    const items = split(word.slice(1, -1), ",").map((item) => readValue(item, depth + 1));
    return items.includes(undefined) ? undefined : items;
  }
  if (Object.hasOwn(WORDS, word)) return WORDS[word];
  if (NUMBER.test(word)) return Number(word);
  return WORD.test(word) ? word : undefined;
}

/**
 * @param {string} name
 * @param {Array<[string|null, *]>} values pairs of name and value; a value without a name goes by its place
 * @returns {string}
 */
export function writeCall(name, values) {
  if (!values.length) return name;
  const written = values.map(([key, value]) => (key === null ? "" : `${key}=`) + writeValue(value));
  return `${name}(${written.join(",")})`;
}

/**
 * @param {string} text such as "cosine(190,end=0.1)"; the last parenthesis may be missing
 * @returns {{ name: string, values: Array<[string|null, *]>, unread: string[] } | null}
 */
export function readCall(text) {
  const match = /^\s*([A-Za-z_][\w-]*)\s*(?:\((.*?)\)?)?\s*$/s.exec(text);
  if (!match) return null;
  const call = { name: match[1], values: [], unread: [] };
  for (const item of (match[2] ?? "").trim() ? split(match[2], ",") : []) {
    const [, key, written] = /^\s*(?:([A-Za-z_]\w*)\s*=)?(.*)$/s.exec(item);
    const value = readValue(written);
    if (value === undefined) call.unread.push(item.trim());
    else call.values.push([key ?? null, value]);
  }
  return call;
}

/**
 * Words of a person in a link: what the language uses itself becomes `~hex~`.
 * @param {string} text
 * @param {RegExp} special the characters that would be misread, with the flag g
 * @returns {string}
 */
export const escapeText = (text, special) =>
  text.replace(special, (character) => `~${character.codePointAt(0).toString(16)}~`);

/** @param {string} text what escapeText wrote @returns {string} */
export const unescapeText = (text) =>
  text.replace(/~([0-9a-f]{1,5})~/g, (_, hex) => String.fromCodePoint(parseInt(hex, 16)));
