import assert from "node:assert/strict";
import { test } from "node:test";

import { toPyTorch } from "../src/state/pytorch.js";
import { normalize } from "../src/state/state.js";

const racer = {
  optimizer: "SGD",
  options: { lr: 0.1 },
  transforms: [{ name: "clip_norm", options: { max_norm: 1 } }],
  schedule: { name: "multistep", options: { milestones: [5], gamma: 0.5 } },
  noise: 0.2,
  seed: 3,
  batch: 4,
};

test("what must be given goes without its name, and a list of one is a tuple", () => {
  const code = toPyTorch(normalize({ surface: { id: "linear" }, racers: [racer] }));
  assert.ok(code.includes("transforms.clip_norm(1)"), code);
  assert.ok(code.includes("schedules.multistep((5,), gamma=0.5)"), code);
  assert.ok(code.includes("noise=0.2, batch=4, seed=3"), code);
});

test("on a model of one's own nothing is drawn", () => {
  const axis = [0, 1, 2];
  const plane = { x: axis, y: axis, losses: axis.map(() => axis), labels: ["a", "b"], path: null };
  const code = toPyTorch(normalize({ surface: { id: "slice" }, racers: [racer] }, [plane]), { slices: [plane] });
  assert.ok(code.includes("make=lambda w: optim.SGD(w, lr=0.1"), code);
  assert.doesNotMatch(code, /noise|batch|seed|random/);
});

test("a surface that cannot be drawn is said, in one line", () => {
  const code = toPyTorch(normalize({ surface: { id: "formula", formula: "x +" }, racers: [racer] }));
  assert.match(code, /^# The surface cannot be drawn: .*\n$/);
});
