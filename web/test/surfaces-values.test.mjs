import assert from "node:assert/strict";
import { test } from "node:test";

import { createSurface, surfaces, withPenalty } from "../src/surfaces/index.js";
import { heightOf } from "../src/surfaces/numbers.js";

const near = (a, b, tolerance = 1e-12) =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

/** Values worked out by hand or printed in the literature: family, parameters, x, y, f. */
const KNOWN = [
  ["quadratic", {}, 10, 1, 150],
  ["quadratic", { condition: 4, rotation: 90 }, 3, 1, 4 * 9 + 1],
  ["quadratic", { condition: 9, rotation: 45 }, 1, 1, 2],
  ["quadratic", { condition: 9, rotation: 45 }, -1, 1, 18],
  ["rosenbrock", {}, -1.2, 1, 24.2],
  ["rosenbrock", { a: 0.5, b: 10 }, 0, 1, 10.25],
  ["valley", {}, 3, 0, 10 * Math.sin(4.5) ** 2],
  ["beale", {}, 0, 0, 14.203125],
  ["beale", {}, 3, 0.5, 0],
  ["himmelblau", {}, 0, 0, 170],
  ["himmelblau", {}, -0.270845, -0.923039, 181.61652, 1e-6],
  ["rastrigin", {}, 0.5, 0.5, 40.5],
  ["rastrigin", {}, 1, 1, 2],
  ["saddle", { walls: 0 }, 2, 3, -5],
  ["saddle", {}, 0, 1, -0.5],
  ["monkey", { walls: 0 }, 1, 2, -11],
  ["monkey", {}, -1.5, 0, -0.84375],
  ["plateau", { scale: 1 }, 1.5, 0.5, 0],
  ["plateau", { scale: 1 }, 0, 0, 0.11727675196209515],
  ["cliff", {}, 0, 0, 2.4],
  ["cliff", {}, 2, 0, 4],
  ["recurrent", { steps: 1 }, 0, 0, 0.04],
  ["recurrent", { steps: 50 }, 0, Math.log(7 / 3), 0],
];

test("values agree with closed forms and the literature", () => {
  for (const [id, parameters, x, y, f, tolerance] of KNOWN) {
    near(createSurface(id, parameters).f(x, y), f, tolerance);
  }
  const tested = new Set(KNOWN.map(([id]) => id));
  const rest = surfaces.map(({ id }) => id).filter((id) => !tested.has(id));
  assert.deepEqual(rest, ["linear", "logistic", "formula", "slice"]);
});

test("the mean squared error and the cross-entropy are those of the points", () => {
  const line = createSurface("linear");
  const squares = line.points.map(({ x, y }) => (0.3 * x - 1 - y) ** 2);
  near(line.f(0.3, -1), squares.reduce((a, b) => a + b) / squares.length);
  const logistic = createSurface("logistic");
  const losses = logistic.points.map(({ x, y, label }) => {
    const p = 1 / (1 + Math.exp(-(0.4 * x - 0.9 * y)));
    return -Math.log(label ? p : 1 - p);
  });
  near(logistic.f(0.4, -0.9), losses.reduce((a, b) => a + b) / losses.length);
});

test("the points are always the same, and of the kind that is drawn", () => {
  const line = createSurface("linear").points;
  const classes = createSurface("logistic").points;
  assert.deepEqual(line, createSurface("linear").points);
  // Python's random.Random(1): x = 2 random(), y = 1.2 x + 0.4 + 0.5 gauss(0, 1).
  assert.deepEqual([line[0], line[31]], [{ x: 0.269, y: 1.211 }, { x: 1.349, y: 1.784 }]);
  assert.equal(classes.filter(({ label }) => label === 1).length, 12);
  // The same with seed 2 and two draws of gauss a point, about (-1, -0.5) and (1, 0.5) by turns.
  assert.deepEqual(classes[0], { x: 1.338, y: -1.163, label: 0 });
  assert.deepEqual(classes[23], { x: 1.04, y: -1.084, label: 1 });
  assert.deepEqual([line.length, classes.length], [32, 24]);
});

test("the gradient of a batch is the mean over its samples; a repeated one counts twice", () => {
  for (const id of ["linear", "logistic"]) {
    const surface = createSurface(id);
    const p = [0.7, -0.2];
    const grad = (indices) => {
      const out = new Float64Array(2);
      surface.batch(p, indices, out);
      return out;
    };
    const full = new Float64Array(2);
    surface.gradient(p, full);
    const all = Array.from({ length: surface.samples }, (_, i) => i);
    const single = all.map((i) => grad([i]));
    for (const k of [0, 1]) {
      near(grad(all)[k], full[k]);
      near(single.reduce((sum, one) => sum + one[k], 0) / all.length, full[k]);
      near(grad([2, 2, 5])[k], (2 * single[2][k] + single[5][k]) / 3);
    }
    assert.ok(single.some((one) => Math.sign(one[0]) !== Math.sign(full[0])), "the samples do not disagree");
  }
});

test("a surface without samples has the full gradient for every batch", () => {
  const surface = createSurface("beale");
  const [batch, full] = [new Float64Array(2), new Float64Array(2)];
  surface.batch([1, 2], [0, 1], batch);
  surface.gradient([1, 2], full);
  assert.deepEqual([batch, surface.samples], [full, 0]);
});

test("parameters that are missing, too large or no numbers are repaired", () => {
  const condition = (value) => createSurface("quadratic", { condition: value }).f(0, 1);
  assert.deepEqual([undefined, 7, 1e9, NaN].map(condition), [50, 7, 1000, 50]);
  const steps = (value) => createSurface("recurrent", { steps: value }).f(5, 1);
  assert.deepEqual([steps(2.4), steps(2.6), steps(2) === steps(3)], [steps(2), steps(3), false]);
  assert.throws(() => createSurface("constructor"), /no surface called “constructor”/);
});

test("the levels are logarithmic where a few places tower over the rest", () => {
  const scales = [
    ["log", (x) => x * x, [0, 1, 5, 7]], // 95 % of x are below 0.95, 30 % below 0.3: 0.9025 is ten times 0.09
    ["log", (x, y) => y * y, [5, 7, 0, 1]],
    ["log", (x) => (1 - x) ** 2, [0, 1, 0, 1]],
    ["linear", (x) => x ** 1.7, [0, 1, 0, 1]],
    ["linear", (x, y) => y ** 1.7, [0, 1, 0, 1]],
    ["linear", (x) => x * x, [1, 2, 0, 1]],
    ["linear", (x, y) => y * y, [0, 1, 1, 2]],
    ["log", (x, y) => Math.sqrt(x) + y ** 4, [-1, 0.5, 0, 3]],
    ["log", (x, y) => Math.sqrt(y) + x ** 4, [0, 3, -1, 0.5]],
    ["linear", () => NaN, [0, 1, 0, 1]],
  ];
  for (const [scale, f, box] of scales) assert.equal(heightOf(f, box), scale, `${f} on ${box}`);
});

test("every family has a text for the menu and parameters with a default within bounds", () => {
  assert.equal(new Set(surfaces.map(({ id }) => id)).size, surfaces.length);
  for (const { id, label, group, note, parameters } of surfaces) {
    assert.ok(label && group && note.endsWith("."), id);
    for (const { name, label: said, default: usual, min, max, scale } of parameters) {
      assert.ok(name && said && min <= usual && usual <= max && ["linear", "log"].includes(scale), id);
      assert.ok(scale === "linear" || min > 0, id);
    }
  }
});

test("a penalty adds its value and its subgradient", () => {
  const bowl = createSurface("quadratic", { condition: 2 });
  const sum = withPenalty(bowl, { l1: 0.5, l2: 3 });
  near(sum.f(2, -1), 6 + 0.5 * 3 + 1.5 * 5);
  near(sum.penalty(2, -1), 9);
  near(sum.penalty(-2, 1), 9);
  const out = new Float64Array(2);
  sum.gradient([2, -1], out);
  assert.deepEqual([...out], [4 + 0.5 + 6, -4 - 0.5 - 3]);
  sum.batch([0, 1], [0], out);
  assert.deepEqual([...out], [0, 4 + 0.5 + 3], "sign(0) is 0");
  assert.equal(sum.expression, "x**2 + 2*y**2 + 0.5*(abs(x) + abs(y)) + 1.5*(x**2 + y**2)");
  assert.deepEqual([sum.minima, withPenalty(bowl, {}).minima], [[], [[0, 0]]]);
});
