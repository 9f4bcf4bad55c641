import assert from "node:assert/strict";
import { test } from "node:test";

import { random } from "../src/surfaces/random.js";

const take = (count, draw) => Array.from({ length: count }, draw);

test("uniform gives what Python's random.Random(seed).random() gives", () => {
  const python = {
    0: [0.8444218515250481, 0.7579544029403025, 0.420571580830845],
    1: [0.13436424411240122, 0.8474337369372327, 0.763774618976614],
    12345: [0.41661987254534116, 0.010169169457068361, 0.8252065092537432],
    1099511627781: [0.5043802970418443, 0.2686044399723282, 0.9257865475671585],
  };
  for (const [seed, first] of Object.entries(python)) {
    assert.deepEqual(take(3, random(Number(seed)).uniform), first);
  }
  const late = random(1);
  take(1000, late.uniform);
  assert.equal(late.uniform(), 0.4116430517162146);
});

test("normal gives what Python's gauss(0.0, 1.0) gives", () => {
  const python = [-1.1788417512306717, -1.1481606807908016, 0.6694689143859696, -2.293910094631911];
  const here = take(4, random(5).normal);
  for (let i = 0; i < 4; i++) assert.ok(Math.abs(here[i] - python[i]) < 1e-15, `${here}`);
});

test("shuffle gives what Python's shuffle gives", () => {
  assert.deepEqual(random(5).shuffle([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), [2, 3, 1, 0, 8, 7, 6, 5, 4, 9]);
});

test("the same seed gives the same numbers, another seed others", () => {
  assert.deepEqual(take(9, random(3).normal), take(9, random(3).normal));
  assert.notDeepEqual(take(9, random(3).normal), take(9, random(4).normal));
});

test("the moments of a normal and of a uniform variable", () => {
  const count = 200000;
  const moment = (values, k) => values.reduce((sum, v) => sum + v ** k, 0) / count;
  const normal = take(count, random(11).normal);
  for (const [k, exact, deviation] of [[1, 0, 1], [2, 1, 2 ** 0.5], [3, 0, 15 ** 0.5], [4, 3, 96 ** 0.5]]) {
    assert.ok(Math.abs(moment(normal, k) - exact) < (4 * deviation) / count ** 0.5, `moment ${k}`);
  }
  const uniform = take(count, random(12).uniform);
  for (const k of [1, 2, 3]) {
    assert.ok(Math.abs(moment(uniform, k) - 1 / (k + 1)) < 4 / count ** 0.5, `moment ${k}`);
  }
  assert.ok(uniform.every((u) => u >= 0 && u < 1));
});

test("every order of three comes up equally often", () => {
  const draw = random(13);
  const counts = new Map();
  for (let i = 0; i < 60000; i++) {
    const order = draw.shuffle([0, 1, 2]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  for (const count of counts.values()) assert.ok(Math.abs(count - 10000) < 4 * (10000 * (5 / 6)) ** 0.5);
});
