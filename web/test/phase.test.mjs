import assert from "node:assert/strict";
import { test } from "node:test";

import { optimizers } from "../src/generated/library.js";
import { floorOf } from "../src/race/outcome.js";
import { momentumOf, momentumOption, phase, racerAt } from "../src/race/phase.js";
import { simulate } from "../src/race/simulate.js";
import { createSurface } from "../src/surfaces/index.js";
import { close, quadratic, racerOf } from "./racing.mjs";

test("heavy ball diverges on a quadratic above lr = 2 (1 + β) / λmax", async () => {
  const largest = 2 * 10;
  const racer = racerOf("SGD", { lr: 0.1, momentum: 0.5 });
  const map = await phase(racer, quadratic(10), [1, 1], 3000, {
    columns: 40,
    rows: 12,
    lr: [0.02, 0.5],
    other: [0, 0.95],
  });
  let [stable, unstable] = [0, 0];
  map.other.values.forEach((beta, row) => {
    map.lr.values.forEach((lr, column) => {
      const value = map.values[row * map.columns + column];
      const ratio = lr / ((2 * (1 + beta)) / largest);
      if (ratio < 0.97) stable += assert.ok(value < -2, `${lr}, ${beta}: ${value}`) ?? 1;
      if (ratio > 1.03) unstable += assert.ok(value === Infinity, `${lr}, ${beta}: ${value}`) ?? 1;
    });
  });
  assert.ok(stable > 100 && unstable > 100);
});

test("a cell of the map is the run at its place", async () => {
  const surface = createSurface("rosenbrock");
  for (const optimizer of ["AdamW", "RMSprop", "Adadelta", "SGD"]) {
    const racer = racerOf(optimizer, { lr: 0.01 });
    const map = await phase(racer, surface, surface.start, 50, { columns: 9, rows: 7 });
    for (const [row, column] of [
      [0, 0],
      [3, 5],
      [6, 8],
      [1, 3],
    ]) {
      const there = racerAt(racer, map.other, map.lr.values[column], map.other.values[row]);
      const path = simulate(there, surface, surface.start, 50);
      const value = map.values[row * 9 + column];
      if (path.ended) assert.equal(value, Infinity);
      else close(10 ** value, path.loss[50] / path.loss[0], 1e-9);
      close(momentumOf(there, map.other), map.other.values[row], 1e-15);
    }
    assert.ok(map.values.every((value) => !Number.isNaN(value)));
    assert.deepEqual(
      [map.lr.values[0], map.lr.values[8]].map((lr) => Number(lr.toPrecision(12))),
      [1e-5, 1],
    );
  }
});

test("a map is measured from the lowest loss: a constant added to all losses changes nothing", async () => {
  const surface = quadratic(10);
  const raised = { ...surface, f: (x, y) => surface.f(x, y) + 1 };
  const [low, high] = await Promise.all(
    [surface, raised].map((one) => phase(racerOf("SGD"), one, [3, 1], 5, { columns: 8, rows: 2 })),
  );
  low.values.forEach((value, i) => close(high.values[i], value, 1e-9));
});

test("every rule has its second axis, or none", async () => {
  const options = Object.fromEntries(
    Object.keys(optimizers).map((name) => [name, momentumOption(name)?.name ?? null]),
  );
  const expected = {
    SGD: "momentum",
    Nesterov: "momentum",
    AdamW: "beta1",
    Adadelta: "rho",
    RMSprop: "momentum",
    Adagrad: null,
    Rprop: null,
    ASGD: null,
  };
  for (const [name, option] of Object.entries(expected)) assert.equal(options[name], option, name);
  const surface = createSurface("quadratic");
  for (const name of Object.keys(optimizers)) {
    const map = await phase(racerOf(name), surface, surface.start, 5, { columns: 10, rows: 6 });
    assert.equal(map.values.length, options[name] ? 60 : 10, name);
    assert.equal(map.other === null, options[name] === null);
  }
  const nesterov = racerOf("SGD", { lr: 0.01, momentum: 0.9, nesterov: true });
  const map = await phase(nesterov, surface, surface.start, 5, { columns: 4, rows: 3 });
  assert.ok(
    map.values.every((value) => Number.isFinite(value) || value === Infinity),
    "no momentum is no Nesterov",
  );
});

test("a map comes coarse first, each cell shown in the place of its neighbours", async () => {
  const surface = createSurface("quadratic");
  const racer = racerOf("SGD", { lr: 0.01 });
  const seen = [];
  const progress = (map, done) =>
    seen.push([Array.from(map.values).filter((value) => !Number.isNaN(value)).length, done]);
  const map = await phase(racer, surface, surface.start, 3000, { columns: 32, rows: 16 }, { progress });
  assert.ok(
    seen.some(([known, done]) => known === 512 && done < 0.3),
    "all of the picture is there early",
  );
  assert.equal(seen.at(-1)[1], 1);
  assert.equal(map.evaluations, 512 * 3000);
});

test("the floor is the lowest minimum, or the lowest point of the picture", () => {
  assert.equal(floorOf(createSurface("himmelblau")) < 1e-20, true);
  close(floorOf(createSurface("saddle", { walls: 0 })), -9, 1e-12);
});
