// From the tokens of a line of a rule to a tree: a formula is shown as fractions and roots, not as source
// text.

/**
 * @typedef {{ kind: "name", name: string, value?: number, values?: number[] } | { kind: "number", text:
 *   string } | { kind: "binary", op: string, a: Tree, b: Tree } | { kind: "negative", a: Tree } | { kind:
 *   "call", name: string, parts: Tree[] }} Tree
 */

const LEVELS = [
  ["==", "!=", ">=", "<=", ">", "<"],
  ["+", "-"],
  ["*", "/"],
];
const WORD = /\s*(\*\*|[=!<>]=|\d+\.?\d*(?:e[-+]?\d+)?|[A-Za-z_]\w*|[-+*/()<>,])/gy;

/**
 * @param {(string | { text: string, value?: number, values?: number[] })[]} tokens of one line, in the syntax
 *   of Python
 * @returns {Tree}
 */
export function parse(tokens) {
  const words = tokens.flatMap((token) => (isName(token) ? [named(token)] : split(token.text ?? token)));
  const reader = { words, at: 0 };
  const tree = binary(reader, 0);
  if (reader.at < words.length)
    throw new SyntaxError(`a formula goes on after its end, at ${words[reader.at]}`);
  return tree;
}

const isName = (token) => typeof token === "object" && ("value" in token || "values" in token);
const named = ({ text, value, values }) => ({ kind: "name", name: text, value, values });

function split(text) {
  const found = [];
  WORD.lastIndex = 0;
  for (let match = WORD.exec(text); match; match = WORD.exec(text)) found.push(match[1]);
  return found;
}

/** Operators of one level, from the left. */
function binary(reader, level) {
  if (level === LEVELS.length) return signed(reader);
  let tree = binary(reader, level + 1);
  while (LEVELS[level].includes(reader.words[reader.at])) {
    const op = reader.words[reader.at++];
    tree = { kind: "binary", op, a: tree, b: binary(reader, level + 1) };
  }
  return tree;
}

function signed(reader) {
  if (reader.words[reader.at] !== "-") return raised(reader);
  reader.at += 1;
  return { kind: "negative", a: signed(reader) };
}

function raised(reader) {
  const base = atom(reader);
  if (reader.words[reader.at] !== "**") return base;
  reader.at += 1;
  return { kind: "binary", op: "**", a: base, b: signed(reader) };
}

function atom(reader) {
  const word = reader.words[reader.at++];
  if (typeof word === "object") return word;
  if (/^\d/.test(word)) return { kind: "number", text: word };
  if (word === "(") return closed(reader, [])[0];
  if (/^[A-Za-z_]/.test(word ?? "")) return call(reader, word);
  throw new SyntaxError(`a formula has ${word ?? "nothing"} where a value should be`);
}

function call(reader, name) {
  if (reader.words[reader.at] !== "(") return { kind: "name", name };
  reader.at += 1;
  return { kind: "call", name, parts: closed(reader, []) };
}

/** Values with commas between them, up to the parenthesis that closes. */
function closed(reader, parts) {
  parts.push(binary(reader, 0));
  const word = reader.words[reader.at++];
  if (word === ",") return closed(reader, parts);
  if (word !== ")") throw new SyntaxError("a formula's parenthesis does not close");
  return parts;
}
