import assert from "node:assert/strict";
import { test } from "node:test";

import { rules } from "../src/generated/library.js";
import { factors } from "../src/views/inspector/math.js";
import { exact, figure } from "../src/views/inspector/numbers.js";
import { parse } from "../src/views/inspector/parse.js";
import { between } from "../src/views/inspector/shapes.js";
import { symbol } from "../src/views/inspector/symbols.js";

const OPERATORS = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "**": (a, b) => a ** b,
  "==": (a, b) => a === b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
};
const FUNCTIONS = {
  sqrt: Math.sqrt,
  maximum: Math.max,
  minimum: Math.min,
  absolute: Math.abs,
  sign: Math.sign,
  isfinite: Number.isFinite,
  where: (condition, yes, no) => (condition ? yes : no),
};

function evaluate(tree) {
  if (tree.kind === "number") return Number(tree.text);
  if (tree.kind === "name") return tree.value;
  if (tree.kind === "negative") return -evaluate(tree.a);
  if (tree.kind === "call") return FUNCTIONS[tree.name](...tree.parts.map(evaluate));
  return OPERATORS[tree.op](evaluate(tree.a), evaluate(tree.b));
}

test("every line of every rule is read: its tree has the value that the printed rule has", () => {
  let read = 0;
  for (const rule of Object.values(rules)) {
    for (const { tokens, value } of rule.lines ?? []) {
      const names = tokens.filter(Array.isArray).map(([name]) => name);
      const place = Object.fromEntries(
        names.map((name, i) => [name, 0.31 + 0.17 * i + (name === "t" ? 4 : 0)]),
      );
      if (tokens.some((token) => typeof token === "string" && token.includes("=="))) place.t = 1;
      const shown = tokens.map((token) =>
        typeof token === "string" ? { text: token } : { text: token[0], value: place[token[0]] },
      );
      const [found, wanted] = [evaluate(parse(shown)), value(place)];
      if (Number.isNaN(wanted)) assert.ok(Number.isNaN(found), rule.name);
      else
        assert.ok(
          Math.abs(found - wanted) <= 1e-14 * Math.abs(wanted),
          `${rule.name}: ${found} is not ${wanted}`,
        );
      read += 1;
    }
  }
  assert.ok(read > 80);
});

const tree = (text) => parse([{ text }]);

test("operators bind as in Python", () => {
  assert.equal(evaluate(tree("1 - 2 - 3 * 4 ** 2 ** 0.5 / 2")), 1 - 2 - (3 * 4 ** (2 ** 0.5)) / 2);
  assert.equal(evaluate(tree("-2 ** 2")), -4);
  assert.equal(evaluate(tree("2 * -3 + 1e-2")), -5.99);
  assert.throws(() => tree("(1 + 2"), SyntaxError);
  assert.throws(() => tree("1 +"), SyntaxError);
  assert.throws(() => tree("1 2"), SyntaxError);
});

test("factors that repeat become powers", () => {
  const powers = (text) => factors(tree(text)).map(({ power }) => power);
  assert.deepEqual(powers("(1 - b) * g * g"), [1, 2]);
  assert.deepEqual(powers("g * a * g"), [1, 1, 1]);
});

test("figures have four digits, and fewer where these are exact", () => {
  assert.equal(figure(0.9), "0.9");
  assert.equal(figure(0.12304), "0.1230");
  assert.equal(figure(-1.19999), "−1.200");
  assert.equal(figure(1234567), "1.235e6");
  assert.equal(figure(1e-8), "1e−8");
  assert.equal(figure(0.00012345), "1.234e−4");
  assert.equal(figure(99999.9), "1.000e5");
  assert.equal(figure(300), "300");
  assert.equal(figure(1 / 3, 3), "0.333");
  assert.equal(figure(0), "0");
  assert.equal(figure(-0), "0");
  assert.deepEqual(
    [NaN, Infinity, -Infinity].map((value) => figure(value)),
    ["NaN", "∞", "−∞"],
  );
  assert.equal(exact(-0.1), "−0.1");
});

test("names are written as in the papers", () => {
  assert.deepEqual(symbol("beta1"), { base: "β", sub: "1" });
  assert.deepEqual(["eps", "lr", "weight_decay"].map((name) => symbol(name).base), ["ε", "η", "λ"]);
  assert.deepEqual(symbol("v_max"), { base: "v", sub: "max" });
  assert.deepEqual(symbol("total"), { base: "‖g‖", square: true });
  assert.equal(symbol("momentum_decay").base, "momentum decay");
});

test("angles between directions", () => {
  assert.ok(Math.abs(between([1, 0], [0, -2]) - 90) < 1e-9);
  assert.ok(Math.abs(between([1, 1], [2, 2])) < 1e-9);
  assert.equal(between([0, 0], [1, 0]), null);
});
