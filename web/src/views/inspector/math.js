// A formula's tree as elements: fractions, roots and powers, in symbols or with the numbers put in.

import { h } from "../../ui/dom.js";
import { typeset } from "../chart-scale.js";
import { exact, figure } from "./numbers.js";
import { symbol } from "./symbols.js";

const RANK = { "==": 1, "!=": 1, ">=": 1, "<=": 1, ">": 1, "<": 1, "+": 2, "-": 2, "*": 3, "/": 3, "**": 5 };
const SIGNS = { "==": "=", "!=": "≠", ">=": "≥", "<=": "≤", ">": ">", "<": "<", "+": "+", "-": "−" };
const FUNCTIONS = { maximum: "max", minimum: "min", isfinite: "finite" };

/**
 * @param {import("./parse.js").Tree} tree
 * @param {{ coordinate: number, position: string, numbers: boolean }} look `position` is the name of the
 *   coordinate; `numbers` puts the values in
 * @returns {HTMLElement}
 */
export const math = (tree, look) => h("span", { class: "math" }, ...terms(tree, look));

/** The terms of a sum, each of which stays on one line. */
function terms(tree, look) {
  if (tree.kind !== "binary" || !"+-".includes(tree.op))
    return [h("span", { class: "term" }, write(tree, look))];
  const last = h("span", { class: "term" }, `${SIGNS[tree.op]} `, within(tree.b, 3, look));
  return [...terms(tree.a, look), " ", last];
}

function write(given, look) {
  const tree = resolved(given, look);
  if (tree.kind === "number") return typeset(tree.text.replace("e-0", "e-"));
  if (tree.kind === "name") return look.numbers ? value(tree, look) : letter(tree.name, look);
  if (tree.kind === "negative") return ["−", within(tree.a, 4, look)];
  if (tree.kind === "call") return called(tree, look);
  return operated(tree, look);
}

function operated({ op, a, b }, look) {
  if (op === "/")
    return h("span", { class: "frac" }, h("span", null, write(a, look)), h("span", null, write(b, look)));
  if (op === "**") return [within(a, 6, look), h("sup", null, write(b, look))];
  if (op === "*") return product(factors({ kind: "binary", op, a, b }), look);
  return [within(a, RANK[op], look), ` ${SIGNS[op]} `, within(b, RANK[op] + 1, look)];
}

/**
 * The factors of a product with their powers: g * g is g squared.
 * @returns {{ tree: any, power: number }[]}
 */
export function factors(tree) {
  if (tree.kind !== "binary" || tree.op !== "*") return [{ tree, power: 1 }];
  const before = factors(tree.a);
  const last = before.at(-1);
  const same = tree.b.kind === "name" && last.tree.kind === "name" && tree.b.name === last.tree.name;
  return same
    ? [...before.slice(0, -1), { ...last, power: last.power + 1 }]
    : [...before, { tree: tree.b, power: 1 }];
}

function product(all, look) {
  return all.flatMap(({ tree, power }, i) => {
    const shown = within(tree, power > 1 ? 6 : i ? 4 : 3, look);
    const raised = power > 1 ? [shown, h("sup", null, String(power))] : [shown];
    return i ? [times(all[i - 1].tree, tree, look), ...raised] : raised;
  });
}

/** Letters stand side by side; numbers and words need a dot. */
function times(before, after, look) {
  const word = (tree) => tree.kind === "call" || (tree.kind === "name" && symbol(tree.name).base.length > 2);
  return look.numbers || startsWithDigit(after) || word(before) || word(after) ? " · " : "\u2009";
}

const startsWithDigit = (tree) => tree.kind === "number" || (tree.op === "**" && startsWithDigit(tree.a));

/** In parentheses if it binds less than what it stands in. */
function within(given, rank, look) {
  const tree = resolved(given, look);
  const binds =
    tree.kind === "binary" ? (tree.op === "/" ? 4 : RANK[tree.op]) : tree.kind === "negative" ? 2 : 9;
  const loose = binds < rank || (tree.kind === "call" && tree.name === "where");
  const sharp = tree.kind === "name" && look.numbers && rank > 2 && needsParentheses(tree, rank, look);
  return loose || sharp ? ["(", write(tree, look), ")"] : write(tree, look);
}

function needsParentheses(tree, rank, look) {
  const number = valueOf(tree, look);
  return number < 0 || (rank > 4 && /e/.test(figure(number)));
}

function called({ name, parts }, look) {
  if (name === "sqrt") return root(parts[0], look);
  if (name === "absolute") return ["|", write(parts[0], look), "|"];
  if (name === "where") return cases(parts, look);
  const inner = parts.flatMap((part, i) => [i ? ", " : "", write(part, look)]);
  return [h("span", { class: "word" }, FUNCTIONS[name] ?? name), "(", ...inner, ")"];
}

/** The root of a squared norm is the norm. */
function root(tree, look) {
  const squared = tree.kind === "name" && symbol(tree.name).square;
  if (squared && !look.numbers) return symbol(tree.name).base;
  const hook = h(
    "svg",
    { viewBox: "0 0 10 20", preserveAspectRatio: "none", role: "img", "aria-label": "√" },
    h("path", {
      d: "M0.5 12L3 11L5.5 19L9.6 0.6H10",
      fill: "none",
      stroke: "currentColor",
      "vector-effect": "non-scaling-stroke",
    }),
  );
  return h("span", { class: "root" }, hook, h("span", { class: "under" }, write(tree, look)));
}

function cases([condition, yes, no], look) {
  const word = (text) => h("span", { class: "word" }, text);
  return [write(yes, look), word(" if "), write(condition, look), word(", else "), write(no, look)];
}

/** With the numbers put in, only the case that holds is shown. */
function resolved(tree, look) {
  if (!look.numbers || tree.kind !== "call" || tree.name !== "where") return tree;
  const [condition, yes, no] = tree.parts;
  const held = holds(condition, look);
  return held === null ? tree : resolved(held ? yes : no, look);
}

const TESTS = { "==": (a, b) => a === b, ">": (a, b) => a > b, "<": (a, b) => a < b };

/** Whether a comparison of plain values is true; null for any other condition. */
function holds({ op, a, b }, look) {
  const [left, right] = [a, b].map((tree) =>
    tree?.kind === "number" ? Number(tree.text) : tree?.kind === "name" ? valueOf(tree, look) : undefined,
  );
  return left === undefined || right === undefined || !(op in TESTS) ? null : TESTS[op](left, right);
}

function valueOf({ value, values }, { coordinate }) {
  return values ? values[coordinate] : value;
}

function value(tree, look) {
  const number = valueOf(tree, look);
  if (number === undefined) return letter(tree.name, look);
  return h("span", { class: "number", title: `${tree.name} = ${exact(number)}` }, figure(number));
}

/** A name as a letter with its index. @returns {HTMLElement} */
export function letter(name, { position }) {
  if (name === "p") return h("i", null, position);
  const { base, sub, square } = symbol(name);
  const stem = base.length <= 2 ? h("i", null, base) : h("span", { class: "word" }, base);
  return h(
    "span",
    { class: "letter" },
    stem,
    sub ? h("sub", null, sub) : null,
    square ? h("sup", null, "2") : null,
  );
}
