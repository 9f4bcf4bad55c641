import assert from "node:assert/strict";
import { test } from "node:test";

import { random } from "../src/surfaces/random.js";
import { createSurface } from "../src/surfaces/index.js";

const AXIS = { x: [-1, -0.5, 0, 0.5, 1, 1.5, 2], y: [-3, -2, -1, 0, 1, 2, 3] };

function plane(f, more = {}) {
  const losses = AXIS.y.map((y) => AXIS.x.map((x) => f(x, y)));
  return { ...AXIS, losses, center: f(0, 0), labels: ["a", "b"], path: null, ...more };
}

const rough = () => {
  const draw = random(4);
  return plane(() => draw.normal());
};
const slice = (...slices) => createSurface("slice", {}, { slices });

test("the slice goes through every measured value", () => {
  const measured = rough();
  const surface = slice(measured);
  measured.y.forEach((y, j) => measured.x.forEach((x, i) => {
    assert.ok(Math.abs(surface.f(x, y) - measured.losses[j][i]) < 1e-12, `${x}, ${y}`);
    assert.ok(surface.inside(x, y));
  }));
});

test("the gradient is that of the interpolant, to many digits", () => {
  const surface = slice(rough());
  const draw = random(5);
  const out = new Float64Array(2);
  const h = 1e-4;
  for (let n = 0; n < 200; n++) {
    // Not within h of a line of the grid, where the third derivative jumps.
    const x = -0.99 + 0.5 * draw.below(6) + 0.45 * draw.uniform();
    const y = -2.95 + draw.below(6) + 0.9 * draw.uniform();
    surface.gradient([x, y], out);
    const by = (g) => (8 * (g(h) - g(-h)) - (g(2 * h) - g(-2 * h))) / (12 * h);
    const exact = [by((d) => surface.f(x + d, y)), by((d) => surface.f(x, y + d))];
    for (let i = 0; i < 2; i++) assert.ok(Math.abs(out[i] - exact[i]) < 1e-9, `${out} but ${exact}`);
  }
});

test("neither value nor gradient jumps from cell to cell", () => {
  const surface = slice(rough());
  const [low, high] = [new Float64Array(2), new Float64Array(2)];
  const borders = [[0, 0.3, 1, 0], [0.5, -1.4, 1, 0], [0.2, 1, 0, 1], [1.2, 0, 0, 1], [0, 0, 1, 1]];
  for (const [x, y, dx, dy] of borders) {
    surface.gradient([x - 1e-10 * dx, y - 1e-10 * dy], low);
    surface.gradient([x + 1e-10 * dx, y + 1e-10 * dy], high);
    assert.ok(Math.abs(low[0] - high[0]) + Math.abs(low[1] - high[1]) < 1e-7, `${low} and ${high}`);
  }
});

test("a quadratic comes out exactly, up to the edges", () => {
  const f = (x, y) => 3 + x - 2 * y + 4 * x * x + x * y - y * y;
  const surface = slice(plane(f));
  const out = new Float64Array(2);
  for (const [x, y] of [[-1, -2], [-0.97, 1.9], [0.13, 0.4], [1.99, -2.99], [2, 3]]) {
    surface.gradient([x, y], out);
    assert.ok(Math.abs(surface.f(x, y) - f(x, y)) < 1e-12);
    assert.ok(Math.abs(out[0] - (1 + 8 * x + y)) < 1e-12 && Math.abs(out[1] - (-2 + x - 2 * y)) < 1e-12);
  }
});

test("a plane need not be square", () => {
  const f = (x, y) => 3 + x - 2 * y + 4 * x * x + x * y - y * y;
  for (const [x, y] of [[AXIS.x.slice(0, 4), AXIS.y], [AXIS.x, AXIS.y.slice(2, 5)]]) {
    const surface = slice({ ...plane(f), x, y, losses: y.map((b) => x.map((a) => f(a, b))) });
    const out = new Float64Array(2);
    for (const [s, t] of [[0.1, 0.1], [0.5, 0.6], [0.97, 0.02], [1, 1]]) {
      const [a, b] = [x[0] + s * (x.at(-1) - x[0]), y[0] + t * (y.at(-1) - y[0])];
      surface.gradient([a, b], out);
      assert.ok(Math.abs(surface.f(a, b) - f(a, b)) < 1e-12, `${a}, ${b}`);
      assert.ok(Math.abs(out[0] - (1 + 8 * a + b)) + Math.abs(out[1] - (-2 + a - 2 * b)) < 1e-12);
    }
  }
});

test("beside the plane there is no gradient, and f is that of the nearest edge", () => {
  const surface = slice(plane((x, y) => x * x + y * y));
  const out = new Float64Array(2);
  for (const [x, y, f] of [[2.1, 0, 4], [-1.1, 0, 1], [0, 3.1, 9], [1e30, -1e30, 13], [Infinity, 0, 4]]) {
    surface.gradient([x, y], out);
    assert.ok(!surface.inside(x, y) && Number.isNaN(out[0]) && Number.isNaN(out[1]), `${x}, ${y}`);
    assert.ok(Math.abs(surface.f(x, y) - f) < 1e-12, `${surface.f(x, y)}`);
  }
  assert.ok(!surface.inside(NaN, 0) && Number.isNaN(surface.f(NaN, 0)));
});

test("in cells with a missing value there is nothing", () => {
  const measured = plane((x, y) => x * x + y * y);
  measured.losses[3][3] = null; // x = 0.5, y = 0
  const surface = slice(measured);
  const out = new Float64Array(2);
  for (const [x, y] of [[0.4, 0.1], [0.7, -0.9], [0.01, 0.99], [0.99, -0.01]]) {
    surface.gradient([x, y], out);
    const nothing = Number.isNaN(surface.f(x, y)) && Number.isNaN(out[0] + out[1]);
    assert.ok(!surface.inside(x, y) && nothing, `${x}, ${y}`);
  }
  for (const [x, y] of [[-0.2, 0.3], [0.2, 1.5], [1.2, 0.7], [-1, -2]]) {
    surface.gradient([x, y], out);
    assert.ok(surface.inside(x, y));
    assert.ok(Math.abs(surface.f(x, y) - x * x - y * y) < 1e-12, "the other cells keep their order");
    assert.ok(Math.abs(out[0] - 2 * x) + Math.abs(out[1] - 2 * y) < 1e-12);
  }
});

test("the start is where the training's path comes in, or else inside the plane", () => {
  const path = [[-3, 0, 9], [-0.75, 0.5, 4], [0, 0, 1]];
  assert.deepEqual(slice(plane((x, y) => x * x + y, { path })).start, [-0.75, 0.5]);
  assert.deepEqual(slice(plane((x, y) => x * x + y, { path })).path, path);
  const bare = slice(plane((x, y) => (x < 0.6 || y > -0.5 ? null : x)));
  assert.ok(bare.inside(...bare.start));
});

test("a path's points at the very edge are no start; without a path it is the first corner that is there", () => {
  const path = [[-0.99, 0, 1], [1.99, 0, 1], [0.3, 2.97, 1], [0.3, -2.97, 1], [-0.5, 0.5, 4]];
  assert.deepEqual(slice(plane((x, y) => x + y, { path })).start, [-0.5, 0.5]);
  assert.deepEqual(slice(plane((x, y) => x + y)).box, [-1, 2, -3, 3]);
  const corners = [[-0.55, 2.1], [1.55, 2.1], [-0.55, -2.1], [1.55, -2.1], [-0.1, 1.2], [1.1, -1.2], [0.5, 0]];
  for (const [x, y] of corners) {
    const [left, low] = [Math.floor(2 * x) / 2, Math.floor(y)];
    const only = slice(plane((a, b) => (a === left || a === left + 0.5) && (b === low || b === low + 1) ? 1 : null));
    only.start.forEach((at, i) => assert.ok(Math.abs(at - [x, y][i]) < 1e-12, `${only.start}, not ${x}, ${y}`));
  }
  const nothing = slice(plane(() => null));
  assert.ok(Math.abs(nothing.start[0] - 0.5) + Math.abs(nothing.start[1]) < 1e-12, "the middle");
});

test("the index chooses the slice; without slices there is a sentence", () => {
  const two = [plane(() => 1, { title: "one" }), plane((x) => x, { title: "two" })];
  assert.equal(createSurface("slice", { index: 1 }, { slices: two }).label, "two");
  assert.equal(createSurface("slice", { index: 7 }, { slices: two }).f(0.25, 0), 0.25);
  assert.throws(() => createSurface("slice"), /thalweg landscape TASK --json/);
});
