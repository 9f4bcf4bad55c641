import assert from "node:assert/strict";
import { test } from "node:test";

import { optimizers } from "../src/generated/library.js";
import { floorOf } from "../src/race/outcome.js";
import { phase } from "../src/race/phase.js";
import { atFairRate } from "../src/race/rate.js";
import { rerun, simulate } from "../src/race/simulate.js";
import { tune } from "../src/race/tune.js";
import { Walk } from "../src/race/walk.js";
import { normalize } from "../src/state/state.js";
import { createSurface } from "../src/surfaces/index.js";
import { drawing, randomRacer } from "./random-states.mjs";
import { close, quadratic, racerOf } from "./racing.mjs";

const fails = (promise, name) => assert.rejects(promise, (error) => error.name === name);

test("a run is x ← x − lr · factor · gradient, with the full loss at every point", () => {
  const racer = racerOf(
    "SGD",
    { lr: 0.01 },
    { warmup: 4, schedule: { name: "step", options: { size: 3, gamma: 0.5 } } },
  );
  const path = simulate(racer, quadratic(10), [3, -2], 12);
  const factors = [0, 0.25, 0.5, 0.75, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25];
  let [x, y] = [3, -2];
  assert.deepEqual([path.x[0], path.y[0], path.loss[0]], [3, -2, 49]);
  for (let k = 0; k < 12; k++) {
    assert.equal(path.lr[k], 0.01 * factors[k], "the schedule counts from 0");
    assert.deepEqual([path.gx[k], path.gy[k]], [2 * x, 20 * y]);
    x -= path.lr[k] * 2 * x;
    y -= path.lr[k] * 20 * y;
    close(path.x[k + 1], x, 1e-14);
    close(path.y[k + 1], y, 1e-14);
    close(path.loss[k + 1], x * x + 10 * y * y, 1e-13);
  }
  assert.equal(path.steps, 12);
  assert.equal(path.evaluations, 12);
  assert.equal(path.ended, null);
  assert.deepEqual([path.x.length, path.gx.length, path.lr.length], [13, 12, 12]);
});

test("the same racer walks the same path, bit by bit; another seed another one", () => {
  const surface = createSurface("linear");
  for (let seed = 0; seed < 60; seed++) {
    const racer = normalize({ racers: [randomRacer(drawing(seed))] }).racers[0];
    const first = simulate(racer, surface, surface.start, 50);
    const second = simulate(structuredClone(racer), createSurface("linear"), [...surface.start], 50);
    assert.deepEqual(second, first);
    if (!racer.noise) continue;
    const other = simulate({ ...racer, seed: racer.seed + 1 }, surface, surface.start, 50);
    assert.notDeepEqual(other.gx, first.gx);
  }
});

test("an epoch draws every sample once, and the last batch is what is left", () => {
  const seen = [];
  const surface = {
    ...createSurface("linear"),
    batch: (p, indices, out) => (seen.push([...indices]), out.fill(0)),
  };
  simulate(racerOf("SGD", { lr: 0.1 }, { batch: 10, seed: 5 }), surface, [0, 0], 12);
  for (let epoch = 0; epoch < 3; epoch++) {
    const batches = seen.slice(4 * epoch, 4 * epoch + 4);
    assert.deepEqual(
      batches.map((batch) => batch.length),
      [10, 10, 10, 2],
    );
    assert.deepEqual(
      batches.flat().sort((a, b) => a - b),
      Array.from({ length: 32 }, (_, i) => i),
    );
  }
  assert.notDeepEqual(seen.slice(0, 4), seen.slice(4, 8), "each epoch in an order of its own");
});

test("another seed draws other batches", () => {
  const surface = createSurface("linear");
  const drawn = (seed) =>
    simulate(racerOf("SGD", { lr: 0.1 }, { batch: 4, seed }), surface, surface.start, 20).gx;
  assert.notDeepEqual(drawn(2), drawn(1));
  assert.notDeepEqual(drawn(3), drawn(2));
});

test("a batch of everything is the full batch", () => {
  const surface = createSurface("logistic");
  const full = simulate(racerOf("SGD", { lr: 0.1 }), surface, surface.start, 30);
  const all = simulate(racerOf("SGD", { lr: 0.1 }, { batch: surface.samples }), surface, surface.start, 30);
  assert.deepEqual(all, full);
});

test("noise is Gaussian, of the chosen deviation, and the same for racers of one seed", () => {
  const flat = { ...quadratic(1), gradient: (p, out) => out.fill(0) };
  const path = simulate(racerOf("SGD", { lr: 1e-9 }, { noise: 0.5, seed: 3 }), flat, [0, 0], 10_000);
  for (const draws of [path.gx, path.gy]) {
    const mean = draws.reduce((sum, value) => sum + value, 0) / 10_000;
    const deviation = Math.sqrt(draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 10_000);
    assert.ok(Math.abs(mean) < 0.02 && Math.abs(deviation - 0.5) < 0.015, `${mean}, ${deviation}`);
    assert.ok(Math.max(...draws) > 1.5 && Math.max(...draws) < 3);
  }
  const adam = simulate(racerOf("Adam", { lr: 1e-9 }, { noise: 0.5, seed: 3 }), flat, [0, 0], 100);
  assert.deepEqual(adam.gx, path.gx.subarray(0, 100));
});

test("Nesterov's gradient is taken ahead", () => {
  const racer = racerOf("Nesterov", { lr: 0.01, momentum: 0.9 });
  const path = simulate(racer, quadratic(10), [3, -2], 3);
  const ahead = path.x[1] + 0.9 * (path.x[1] - path.x[0]);
  close(path.gx[1], 2 * ahead, 1e-14);
});

test("runs end kindly", () => {
  const wild = simulate(racerOf("SGD", { lr: 1 }), createSurface("rosenbrock"), [-1.5, 2.4], 100);
  assert.equal(wild.ended.why, "diverged");
  assert.equal(wild.ended.step, wild.steps);
  assert.ok(wild.steps < 10);
  for (const values of [wild.x, wild.y, wild.loss, wild.gx, wild.gy])
    assert.ok(values.every(Number.isFinite));

  const root = createSurface("formula", {}, { formula: "sqrt(x) + y^2" });
  const below = simulate(racerOf("SGD", { lr: 0.5 }), root, [0.5, 1], 100);
  assert.equal(below.ended.why, "not finite");
  assert.ok(below.x.every((x) => x >= 0) && below.loss.every(Number.isFinite));

  const start = simulate(racerOf("SGD", { lr: 0.5 }), root, [-1, 1], 100);
  assert.deepEqual(start.ended, { step: 0, why: "not finite" });
  assert.deepEqual([start.steps, start.x.length, start.lr.length, start.evaluations], [0, 1, 0, 0]);

  const slice = { ...quadratic(1), inside: (x, y) => Math.abs(x) <= 5 && Math.abs(y) <= 5 };
  const out = simulate(racerOf("SGD", { lr: 1.5 }), slice, [1, 1], 100);
  assert.equal(out.ended.why, "outside");
  assert.ok(Math.abs(out.x[out.steps]) > 5 && Math.abs(out.x[out.steps - 1]) <= 5);

  const edge = {
    ...slice,
    measured: true,
    gradient: (p, out) => (slice.inside(...p) ? slice.gradient(p, out) : out.fill(NaN)),
  };
  const ahead = simulate(racerOf("Nesterov", { lr: 1.2, momentum: 0.9 }), edge, [1, 1], 100);
  assert.equal(ahead.ended.why, "outside", "the look ahead left the slice first");
  assert.ok(edge.inside(ahead.x[ahead.steps], ahead.y[ahead.steps]));

  const broken = { ...quadratic(1), gradient: (p, out) => out.fill(NaN) };
  const guarded = (policy) =>
    racerOf("SGD", { lr: 0.5 }, { transforms: [{ name: "guard", options: { policy } }] });
  const skipped = simulate(guarded("skip"), broken, [1, 1], 5);
  assert.deepEqual([skipped.steps, skipped.x[5], skipped.ended], [5, 1, null]);
  assert.deepEqual(simulate(guarded("raise"), broken, [1, 1], 5).ended, { step: 0, why: "not finite" });
});

test("a racer has diverged where it is further from the middle than it may, in any direction", () => {
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    for (const [box, middle] of [[[10, 12, -1, 3], [11, 1]], [[-3, 1, 6, 8], [-1, 7]]]) {
      const slope = { ...quadratic(1), box, f: () => 1, gradient: (p, out) => out.set([-dx, -dy]) };
      const walk = new Walk(racerOf("SGD", { lr: 1 }), slope, middle, 3);
      while (walk.advance());
      assert.deepEqual([walk.ended, walk.taken], ["diverged", 13], "three times 4 is not too far, 13 is");
    }
  }
  const vanishing = { ...quadratic(1), f: () => 1, gradient: (p, out) => out.set([1, Infinity]) };
  assert.equal(simulate(racerOf("SGD", { lr: 1 }), vanishing, [0, 0], 5).ended.why, "not finite");
});

test("rerun stands before a step as simulate took it, and explaining changes nothing", () => {
  const surface = createSurface("linear");
  for (const optimizer of Object.keys(optimizers)) {
    const racer = racerOf(optimizer, { lr: 0.01 }, { noise: 0.1, batch: 5, warmup: 3 });
    const path = simulate(racer, surface, surface.start, 20);
    for (const step of [0, 7]) {
      const { run, gradient, lr } = rerun(racer, surface, surface.start, step);
      assert.deepEqual([...run.p], [path.x[step], path.y[step]]);
      assert.equal(lr, path.lr[step]);
      const out = new Float64Array(2);
      for (let again = 0; again < 2; again++) gradient(run.point(), out);
      assert.deepEqual([...out], [path.gx[step], path.gy[step]], "however often it is asked");
      run.explain(gradient, lr);
      run.step(gradient, lr);
      assert.deepEqual([...run.p], [path.x[step + 1], path.y[step + 1]], optimizer);
    }
  }
});

test("gradient descent is tuned to the analytic optimum of a quadratic", async () => {
  for (const condition of [1, 4, 50, 300]) {
    const surface = quadratic(condition);
    const racer = racerOf("SGD", { lr: 1e-3 });
    const found = await tune(racer, surface, [3, 3 / condition], 60);
    close(found.lr, 2 / (2 + 2 * condition), 0.1);
    const path = simulate({ ...racer, options: { lr: found.lr } }, surface, [3, 3 / condition], 60);
    assert.equal(found.loss, path.loss[60], "the loss is that of the run at the rate");
  }
});

test("tuning never loses to the racer's own rate, and every racer gets as many evaluations", async () => {
  const budgets = new Set();
  for (const id of ["quadratic", "rosenbrock", "rastrigin", "linear"]) {
    const surface = createSurface(id);
    for (let seed = 0; seed < 12; seed++) {
      const racer = normalize({ racers: [randomRacer(drawing(seed))] }).racers[0];
      const path = simulate(racer, surface, surface.start, 40);
      const found = await tune(racer, surface, surface.start, 40, { evaluations: 40 * 30 });
      budgets.add(found.evaluations);
      if (!racer.noise && !racer.batch && !path.ended)
        assert.ok(found.loss <= path.loss[40], `${racer.optimizer} on ${id}`);
      assert.ok(found.judged.some(({ lr }) => lr === found.lr));
      const long = found.judged.filter(({ lr }) => lr !== Number(lr.toPrecision(3)) && lr !== racer.options.lr);
      assert.deepEqual(long, [], "three digits can be read");
      assert.ok(
        found.judged.every(({ lr }, i) => i === 0 || lr >= found.judged[i - 1].lr),
        "in order",
      );
    }
  }
  assert.deepEqual([...budgets], [1200]);
});

test("what is charged is what was run, but for runs that ended early", async () => {
  let counted = 0;
  const count = (_, out) => (counted++, out.fill(0));
  const flat = { ...createSurface("linear"), box: [-1e90, 1e90, -1e90, 1e90] }; // nobody leaves it
  const surface = { ...flat, gradient: count, batch: (p, indices, out) => count(p, out) };
  for (const optimizer of Object.keys(optimizers)) {
    for (const rest of [{}, { noise: 0.1 }, { batch: 4 }]) {
      counted = 0;
      const racer = racerOf(optimizer, { lr: 0.1 }, rest);
      const found = await tune(racer, surface, surface.start, 20, { evaluations: 20 * 31 + 19 });
      assert.equal(found.evaluations, 20 * 31, "whole runs");
      assert.equal(counted, found.evaluations, `${optimizer}: nobody ends early`);
    }
  }
});

test("noisy racers are judged over several seeds", async () => {
  const surface = createSurface("linear");
  const racer = racerOf("SGD", { lr: 0.1 }, { batch: 1 });
  const end = (lr, seed) =>
    simulate({ ...racer, seed, options: { lr } }, surface, surface.start, 100).loss[100];
  const found = await tune(racer, surface, surface.start, 100);
  assert.equal(found.judged.length, 18);
  const judged = found.judged.filter((one) => one.loss < 1);
  assert.ok(judged.length > 15);
  for (const { lr, loss } of judged) {
    assert.equal(loss, [1, 2, 3].map((seed) => end(lr, seed)).sort((a, b) => a - b)[1]);
  }
});

test("tuning comes near the best of three hundred rates, with a tenth of the runs", async () => {
  const steps = 100;
  const far = [];
  for (const optimizer of ["RMSprop", "Adam", "Adagrad", "AdamW", "Nesterov"]) {
    for (const id of ["quadratic", "valley", "himmelblau", "beale"]) {
      const surface = createSurface(id);
      const racer = racerOf(optimizer);
      const height = (loss) => Math.max(loss - floorOf(surface), 1e-8);
      const end = (lr) => {
        const path = simulate(racerOf(optimizer, { lr }), surface, surface.start, steps);
        return path.ended ? Infinity : path.loss[steps];
      };
      const judge = (lr) => height(Math.max(...[1, 0.99, 1.01].map((near) => end(lr * near))));
      const { lr, evaluations } = await tune(racer, surface, surface.start, steps);
      assert.equal(evaluations, 120 * steps);
      const all = Array.from({ length: 300 }, (_, i) => judge(1e-5 * 1e7 ** (i / 299)));
      if (judge(lr) > 2 * Math.min(...all)) far.push(`${optimizer} on ${id}`);
    }
  }
  assert.ok(far.length <= 3, `${far}`);
});

test("luck does not count: a rate must not fail nearby, nor throw the racer far away", async () => {
  for (const [optimizer, id] of [
    ["SGD", "rosenbrock"],
    ["Adam", "linear"],
    ["RMSprop", "quadratic"],
    ["Adagrad", "quadratic"],
  ]) {
    const surface = createSurface(id);
    const run = (lr) => simulate(racerOf(optimizer, { lr }), surface, surface.start, 100);
    const found = await tune(racerOf(optimizer, { lr: 1e-3 }), surface, surface.start, 100);
    const judged = found.judged.filter(({ loss }) => loss < Infinity);
    for (const { lr, loss } of judged) {
      assert.equal(loss, Math.max(...[1, 0.99, 1.01].map((near) => run(lr * near).loss[100])));
    }
    const size = surface.box[1] - surface.box[0];
    assert.ok(
      run(found.lr).x.every((x) => Math.abs(x) < 3 * size),
      `${optimizer} at ${found.lr}`,
    );
  }
});

test("who draws every sample in each step is judged as one who draws none", async () => {
  const surface = createSurface("linear");
  const tuned = (batch) => tune(racerOf("Adam", { lr: 0.1 }, { batch }), surface, surface.start, 30);
  const [none, all] = await Promise.all([tuned(0), tuned(surface.samples)]);
  assert.deepEqual(all, none);
});

test("a lucky rate of one's own is kept", async () => {
  const surface = createSurface("rosenbrock");
  const lucky = racerOf("SGD", { lr: 0.00171 });
  const own = simulate(lucky, surface, [-1.5, 2.4], 500).loss[500];
  const found = await tune(lucky, surface, [-1.5, 2.4], 500);
  const careful = await tune(racerOf("SGD", { lr: 1e-4 }), surface, [-1.5, 2.4], 500);
  assert.ok(own < 0.5 * careful.loss, "it is lucky");
  assert.ok(found.loss <= own);
});

test("where every rate fails, the own one is kept", async () => {
  const cursed = { ...quadratic(1), f: () => NaN };
  const found = await tune(racerOf("SGD", { lr: 0.3 }), cursed, [1, 1], 20);
  assert.deepEqual([found.lr, found.loss], [0.3, Infinity]);
});

test("a fair rate is 1, 2 or 5 times a power of ten, from 0.00001 to 50", () => {
  const small = [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05];
  for (const lr of [...small, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]) {
    const bowl = {
      ...quadratic(1),
      f: (x, y) => (x * x + y * y) / (2 * lr),
      gradient: (p, out) => out.set([p[0] / lr, p[1] / lr]),
    };
    assert.equal(atFairRate(racerOf("SGD"), bowl, [1, -1], 20).options.lr, lr, "a single step to the minimum");
  }
});

test("a fair rate keeps the racer in the picture, though a larger one would go lower", () => {
  const slope = {
    ...quadratic(1),
    f: (x) => -x,
    gradient: (p, out) => out.set([-1, 0]),
    box: [-1, 1, -1, 1],
  };
  assert.equal(atFairRate(racerOf("SGD"), slope, [-0.5, 0], 20).options.lr, 0.05);
  for (const sign of [1, -1]) {
    const along = { ...slope, f: (x, y) => -sign * y, gradient: (p, out) => out.set([0, -sign]) };
    assert.equal(atFairRate(racerOf("SGD"), along, [0, -0.5 * sign], 20).options.lr, 0.05);
  }
});

test("tuning and mapping breathe, report and can be stopped", async () => {
  const surface = createSurface("rosenbrock");
  const racer = racerOf("Adam", { lr: 0.1 });
  const jobs = [
    (options) => tune(racer, surface, surface.start, 10_000, options),
    (options) => phase(racer, surface, surface.start, 300, {}, options),
  ];
  for (const job of jobs) {
    let [ticks, told] = [0, 0];
    const timer = setInterval(() => ticks++, 1);
    const progress = () => told++;
    await job({ progress });
    clearInterval(timer);
    assert.ok(ticks >= 5 && told >= 5, `${ticks} ticks, ${told} reports`);
    const stop = new AbortController();
    const running = job({ signal: stop.signal });
    setTimeout(() => stop.abort(), 5);
    await fails(running, "AbortError");
    await fails(job({ signal: AbortSignal.abort() }), "AbortError");
  }
});

test("ten racers of 1,000 steps, measured", () => {
  const names = [
    "SGD",
    "Momentum",
    "Nesterov",
    "RMSprop",
    "Adam",
    "AdamW",
    "Adagrad",
    "NAdam",
    "RAdam",
    "Adadelta",
  ];
  const racers = names.map((name) =>
    racerOf(name, { lr: 1e-4 }, { warmup: 10, schedule: { name: "cosine", options: { steps: 990 } } }),
  );
  const surface = createSurface("rosenbrock");
  const times = Array.from({ length: 15 }, () => {
    const begun = performance.now();
    for (const racer of racers) assert.equal(simulate(racer, surface, surface.start, 1000).steps, 1000);
    return performance.now() - begun;
  });
  console.log(
    `10 racers x 1,000 steps: first ${times[0].toFixed(1)} ms, then ${times.sort((a, b) => a - b)[7].toFixed(1)} ms`,
  );
});
