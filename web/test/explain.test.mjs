import assert from "node:assert/strict";
import test from "node:test";

import { compose } from "../src/engine/program.js";
import { optimizers, rules, transforms } from "../src/generated/library.js";

const ravine = (p, g) => {
  g[0] = 2 * p[0] - 0.3;
  g[1] = 100 * p[1] + 0.2;
};

/** The vocabulary of the rules, for lines that are computed from their text. */
const WORDS = {
  sqrt: Math.sqrt,
  absolute: Math.abs,
  sign: Math.sign,
  isfinite: Number.isFinite,
  maximum: Math.max,
  minimum: Math.min,
  where: (condition, a, b) => (condition ? a : b),
};

/** What the text of a line gives at a coordinate, with the shown numbers in the place of the names. */
function computed({ tokens }, i) {
  const shown = tokens.map(({ text, value, values }) => {
    const number = values ? values[i] : value;
    return number === undefined ? text : `(${number})`;
  });
  return new Function(...Object.keys(WORDS), `return Number(${shown.join("")})`)(...Object.values(WORDS));
}

const near = (a, b) => Object.is(a, b) || Math.abs(a - b) <= 1e-12 * Math.abs(b);

/** A stage's lines: each is what its text says, and the last of a state is the state afterwards. */
function checkStage(stage, after) {
  for (const line of stage.lines) {
    assert.equal(line.values.length, 2);
    line.values.forEach((value, i) => {
      const text = line.tokens.map((token) => token.text).join("");
      assert.ok(near(computed(line, i), Number(value)), `${stage.rule}, ${text}: ${computed(line, i)}, ${value}`);
    });
  }
  for (const [name, key] of Object.entries(rules[stage.rule].states)) {
    const last = stage.lines.filter((line) => line.name === name).at(-1);
    last?.values.slice(0, after[key].length).forEach((value, i) => assert.ok(near(value, after[key][i]), name));
  }
}

const clip = { name: "clip_norm", options: { max_norm: 1 } };
const wrapped = Object.values(transforms).map(({ name, example }) => [name, { name, options: example }]);
const stages = [
  ...Object.keys(optimizers).map((name) => [name, name, clip]),
  ...wrapped.map(([name, wrap]) => [name, "SGD", wrap]),
];

for (const [title, optimizer, wrap] of stages) {
  test(`${title}: the lines with their numbers put in give what is said`, () => {
    const run = compose(optimizer, {}, [wrap]).begin([1, -2]);
    for (let step = 0; step < 8; step++) {
      const { stages: told, after } = run.explain(ravine, 0.01);
      told.forEach((stage) => checkStage(stage, after));
      run.step(ravine, 0.01);
    }
  });
}

test("a result is named after what it is, and an idle stage says so", () => {
  const limit = (value) => ({ name: "clip_value", options: { limit: value } });
  const told = (wrap) => compose("SGD", {}, [wrap]).begin([1, -2]).explain(ravine, 0.01).stages;
  const resultOf = (stage) => stage.lines.at(-1).name;
  assert.deepEqual(told(limit(5)).map(resultOf), ["g", "g", "step", "p"]);
  assert.deepEqual(told(limit(5)).map(({ title }) => title), ["clip_value", "coupled", "SGD", "step"]);
  assert.deepEqual([told(limit(5))[0].idle, told(limit(500))[0].idle], [false, true], "one coordinate is enough");
  const { stages: moved } = compose("LARS").begin([1, 2]).explain(ravine, 0.01);
  assert.ok(moved.find(({ on }) => on === "rule").lines.some(({ name }) => name === "p"));
  const [norm] = told(clip);
  assert.ok(near(norm.sums.total, 1.7 ** 2 + 199.8 ** 2));
});

test("what is one number for all coordinates is shown once, what differs for each", () => {
  const run = compose("RAdam").begin([1, -2]);
  for (let step = 0; step < 8; step++) run.step(ravine, 0.01);
  const { lines } = run.explain(ravine, 0.01).stages.find(({ on }) => on === "rule");
  const tokens = lines.flatMap((line) => line.tokens);
  const kinds = (name) => new Set(tokens.filter(({ text }) => text === name).map(({ values }) => Boolean(values)));
  for (const name of ["beta1", "t", "longest", "length", "now", "r"]) assert.deepEqual([...kinds(name)], [false]);
  for (const name of ["m", "v", "g", "adaptive"]) assert.deepEqual([...kinds(name)], [true], name);
});

test("a point of which one coordinate is not finite is the end", () => {
  const told = compose("SGD").begin([1, 2]).explain((p, g) => g.set([1e308, 0]), 1e10);
  assert.equal(told.outcome, "not finite");
});
