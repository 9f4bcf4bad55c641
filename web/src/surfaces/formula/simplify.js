import { FormulaError } from "./error.js";
import { functions, operators } from "./functions.js";

const isNumber = (tree, value) => tree.kind === "number" && (value === undefined || tree.value === value);

/**
 * The same tree with its constant parts worked out, without x + 0, 1·x and x^1, and with x^2 as a square.
 *
 * @param {import("./parse.js").Tree} tree
 * @param {string} text the formula, for what an error says
 * @throws {FormulaError} a constant part is no finite number
 */
export function simplify(tree, text) {
  if (tree.kind !== "call") return tree;
  const of = tree.of.map((part) => simplify(part, text));
  if (of.every((part) => isNumber(part))) return constant({ ...tree, of }, text);
  return shorter(tree.name, of) ?? { ...tree, of };
}

function constant(tree, text) {
  const { value } = functions.get(tree.name) ?? operators.get(tree.name);
  const [a, b] = tree.of.map((part) => part.value);
  const found = value(a, b);
  if (Number.isFinite(found)) return { kind: "number", value: found, at: tree.at, end: tree.end };
  const what = text.slice(tree.at, tree.end);
  const byZero = tree.name === "div" && b === 0;
  const why = byZero ? "divides by zero" : Number.isNaN(found) ? "is not a number" : "is too large";
  throw new FormulaError(`${what} ${why}.`, tree.at, tree.end - tree.at);
}

/** What is left where one part says nothing; undefined where both do. */
function shorter(name, [a, b]) {
  const square = (of) => ({ kind: "call", name: "square", of: [of], at: of.at, end: of.end });
  if (name === "add" && isNumber(a, 0)) return b;
  if ((name === "add" || name === "sub") && isNumber(b, 0)) return a;
  if (name === "sub" && isNumber(a, 0)) return { kind: "call", name: "neg", of: [b], at: b.at, end: b.end };
  if (name === "mul" && isNumber(a, 1)) return b;
  if ((name === "mul" || name === "div" || name === "pow") && isNumber(b, 1)) return a;
  if (name === "pow" && isNumber(b, 0)) return { kind: "number", value: 1, at: a.at, end: b.end };
  if (name === "pow" && isNumber(b, 2)) return square(a);
  return name === "neg" && a.name === "neg" ? a.of[0] : undefined;
}
