import assert from "node:assert/strict";
import { test } from "node:test";

import { createSurface, surfaces, withPenalty } from "../src/surfaces/index.js";
import { random } from "../src/surfaces/random.js";

/** Every family at its defaults and at five random settings within the bounds of its parameters. */
export function settings(family) {
  const draw = random(7);
  const some = () => {
    const values = {};
    for (const { name, min, max, scale, integer } of family.parameters) {
      const u = draw.uniform();
      const value = scale === "log" ? min * (max / min) ** u : min + u * (max - min);
      values[name] = integer ? Math.round(value) : value;
    }
    return values;
  };
  const ends = (key) => Object.fromEntries(family.parameters.map((p) => [p.name, p[key]]));
  return [{}, ends("min"), ends("max"), some(), some(), some()];
}

/** Random points of the box. */
function places(surface, count, seed = 3) {
  const draw = random(seed);
  const [x0, x1, y0, y1] = surface.box;
  return Array.from({ length: count }, () => [
    x0 + (x1 - x0) * draw.uniform(),
    y0 + (y1 - y0) * draw.uniform(),
  ]);
}

/** The derivative by central differences of order 6, and the scale of its rounding error. */
function derivative(g) {
  const h = 2e-3;
  const d = (n) => g(n * h) - g(-n * h);
  return (45 * d(1) - 9 * d(2) + d(3)) / (60 * h);
}

/** The gradient at p agrees with differences of f. */
function agrees(surface, p, message) {
  const out = new Float64Array(2);
  surface.gradient(p, out);
  const zoom = (surface.box[1] - surface.box[0]) / 40; // of h, so that curvature fits
  const by = [
    derivative((h) => surface.f(p[0] + h * zoom * 0.05, p[1])) / (zoom * 0.05),
    derivative((h) => surface.f(p[0], p[1] + h * zoom * 0.05)) / (zoom * 0.05),
  ];
  const size = Math.hypot(...by) + 1e-3 * Math.abs(surface.f(...p)) + 1e-4;
  for (let i = 0; i < 2; i++) {
    assert.ok(Math.abs(out[i] - by[i]) < 1e-6 * size, `${message} at ${p}: ${out} but differences ${by}`);
  }
}

/** How many minima there are at the defaults; the recurrent unit has a curve of them. */
const MINIMA = { himmelblau: 4, saddle: 2, monkey: 3, recurrent: 0 };

const families = surfaces.filter(({ id }) => id !== "formula" && id !== "slice");

for (const family of families) {
  test(`${family.id}: the gradient is that of f`, () => {
    for (const parameters of settings(family)) {
      const surface = createSurface(family.id, parameters);
      for (const p of places(surface, 40)) agrees(surface, p, `${family.id} ${JSON.stringify(parameters)}`);
    }
  });

  test(`${family.id}: no point is lower than the minima, and their gradient is zero`, () => {
    const out = new Float64Array(2);
    const [first, ...others] = settings(family);
    for (const parameters of [first, ...others]) {
      const surface = createSurface(family.id, parameters);
      const lowest = Math.min(...surface.minima.map(([x, y]) => surface.f(x, y)));
      assert.equal(new Set(surface.minima.map(String)).size, surface.minima.length, "each once");
      assert.ok(parameters !== first || surface.minima.length === (MINIMA[family.id] ?? 1), surface.minima.length);
      assert.ok(surface.minima.length || parameters.walls === 0 || family.id === "recurrent", "there is one");
      const scale = Math.max(...places(surface, 50).map(([x, y]) => Math.abs(surface.f(x, y))));
      for (const p of surface.minima) {
        surface.gradient(p, out);
        assert.ok(Math.hypot(...out) <= 1e-9 * Math.max(1, scale), `${family.id} at ${p}: ${out}`);
        assert.ok(inBox(surface, p) || "walls" in parameters, `${p} is not in the box ${surface.box}`);
        for (let k = 0; k < 8; k++) {
          const [dx, dy] = [1e-3 * Math.cos(k), 1e-3 * Math.sin(k)];
          assert.ok(surface.f(p[0] + dx, p[1] + dy) > surface.f(...p), `${p} is no minimum`);
        }
      }
      if (!surface.minima.length) continue;
      for (const p of places(surface, 500)) assert.ok(surface.f(...p) >= lowest, `${p} is lower`);
    }
  });

  test(`${family.id}: the start is in the box, not at a minimum, and the box is nearly square`, () => {
    for (const parameters of settings(family)) {
      const { box, start, gradient } = createSurface(family.id, parameters);
      const out = new Float64Array(2);
      gradient(start, out);
      const [wide, high] = [box[1] - box[0], box[3] - box[2]];
      assert.ok(start[0] > box[0] && start[0] < box[1] && start[1] > box[2] && start[1] < box[3]);
      assert.ok(Math.hypot(...out) > 0 && wide / high <= 1.3 && high / wide <= 1.3);
    }
  });
}

function inBox({ box }, [x, y]) {
  return x > box[0] && x < box[1] && y > box[2] && y < box[3];
}
