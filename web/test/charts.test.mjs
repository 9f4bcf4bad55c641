import assert from "node:assert/strict";
import { test } from "node:test";

import { lastFinite, range, sampled, thin } from "../src/views/chart-curve.js";
import { nextStep } from "../src/views/chart-input.js";
import { chosen, fit, spread } from "../src/views/chart-labels.js";
import {
  logTicks,
  logTickTexts,
  power,
  scale,
  tickTexts,
  ticks,
  wholeTicks,
} from "../src/views/chart-scale.js";

test("a linear scale maps and inverts", () => {
  const x = scale(0, 200, 40, 440);
  assert.equal(x.at(50), 140);
  assert.equal(x.invert(140), 50);
});

test("a logarithmic scale puts equal ratios at equal distances, and zero beyond its low end", () => {
  const y = scale(1e-4, 1e4, 200, 0, true);
  assert.ok(Math.abs(y.at(1) - 100) < 1e-9);
  assert.ok(Math.abs(y.invert(100) - 1) < 1e-9);
  assert.ok(y.at(0) > 1000 && y.at(-1) > 1000);
  assert.ok(y.at(Infinity) <= 0);
  assert.ok(Number.isNaN(y.at(NaN)));
});

test("a range of one value does not divide by zero", () => assert.equal(scale(2, 2, 10, 90).at(2), 10));

test("ticks are round and inside", () => {
  assert.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(ticks(-0.13, 0.31, 4), [-0.1, 0, 0.1, 0.2, 0.3]);
  assert.deepEqual(ticks(3, 3), [3]);
  assert.deepEqual(wholeTicks(0, 2, 4), [0, 1, 2]);
});

test("logarithmic ticks are powers of ten, thinned, or 1, 2 and 5 in a narrow range", () => {
  assert.deepEqual(logTicks(2e-4, 3), [1e-3, 1e-2, 1e-1, 1]);
  assert.deepEqual(logTicks(1e-12, 1e3, 5), [1e-12, 1e-9, 1e-6, 1e-3, 1, 1e3]);
  assert.deepEqual(logTicks(3, 30), [5, 10, 20]);
  assert.deepEqual(logTicks(0.4, 30, 5), [0.5, 1, 2, 5, 10, 20]);
  assert.deepEqual(logTicks(0.4, 30, 2), [1, 10]);
  assert.deepEqual(logTicks(4.1, 4.4, 3), [4.1, 4.2, 4.3, 4.4]);
});

test("tick texts have the decimals that tell them apart, and true minus signs", () => {
  assert.deepEqual(tickTexts([-0.5, 0, 0.5]), ["−0.5", "0.0", "0.5"]);
  assert.deepEqual(tickTexts([0, 100000, 200000]), ["0", "1e5", "2e5"]);
  assert.deepEqual(logTickTexts([0.001, 1, 1000]), ["0.001", "1", "1000"]);
  assert.deepEqual(logTickTexts([1e-6, 1]), ["10⁻⁶", "10⁰"]);
  assert.equal(power(12), "10¹²");
});

test("thinning keeps every spike and both ends", () => {
  const values = Float64Array.from({ length: 10_000 }, (_, i) => Math.sin(i / 500));
  values[3333] = 40;
  values[7777] = -40;
  const [piece, ...others] = thin(values, 400);
  assert.equal(others.length, 0);
  assert.ok(piece.length <= 2 * 2 * 401);
  const at = new Map();
  for (let i = 0; i < piece.length; i += 2) at.set(piece[i], piece[i + 1]);
  assert.equal(at.get(3333), 40);
  assert.equal(at.get(7777), -40);
  assert.ok(at.has(0) && at.has(9999));
  for (let i = 2; i < piece.length; i += 2) assert.ok(piece[i] > piece[i - 2], "in order, none twice");
});

test("few values are all kept, and a gap starts a new piece", () => {
  assert.deepEqual(thin([1, NaN, 2, 3, Infinity], 100), [
    [0, 1],
    [2, 2, 3, 3],
  ]);
  const long = Float64Array.from({ length: 1000 }, (_, i) => (i === 500 ? NaN : i));
  const pieces = thin(long, 50);
  assert.deepEqual(
    pieces.map((piece) => [piece[0], piece.at(-2)]),
    [
      [0, 499],
      [501, 999],
    ],
  );
});

test("ranges leave out what is not finite", () => {
  assert.deepEqual(range([NaN, 3, -1, Infinity, 2]), [-1, 3]);
  assert.deepEqual(range([0, 0.5, 2], 0), [0.5, 2]);
  assert.equal(lastFinite([1, 2, NaN, Infinity]), 1);
  assert.equal(lastFinite([NaN]), -1);
  assert.equal(sampled(new Float64Array(1000)).length, 64);
  assert.deepEqual(sampled(Float64Array.of(1, 2, 3)), [1, 2, 3]);
});

test("names are moved apart, keep their order and stay inside", () => {
  assert.deepEqual(spread([10, 11, 50], 10, 0, 60), [10, 20, 50]);
  assert.deepEqual(spread([58, 59, 60], 10, 0, 60), [40, 50, 60]);
  assert.deepEqual(spread([5, 5], 10, 0, 60), [5, 15]);
});

test("names that do not fit are cut, and the selected one is kept", () => {
  const measure = (text) => text.length * 10;
  assert.equal(fit("RMSprop", 70, measure), "RMSprop");
  assert.equal(fit("a long name", 50, measure), "a lo…");
  const labels = [{ n: 0 }, { n: 1 }, { n: 2, strong: true }];
  assert.deepEqual(
    chosen(labels, 2).map((l) => l.n),
    [0, 2],
  );
  assert.equal(chosen(labels, 3), labels);
});

test("keys move the playhead as on a slider", () => {
  const key = (name, more) => nextStep({ key: name, ...more }, 50, 100);
  assert.equal(key("ArrowRight"), 51);
  assert.equal(key("ArrowLeft", { shiftKey: true }), 40);
  assert.equal(key("End"), 100);
  assert.deepEqual([key("PageUp"), key("PageDown")], [60, 40]);
  assert.equal(nextStep({ key: "ArrowLeft" }, 0, 100), 0);
  assert.equal(key("a"), null);
  assert.equal(key("ArrowRight", { altKey: true }), null);
});
