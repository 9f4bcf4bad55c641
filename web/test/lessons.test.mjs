// What each lesson says, measured on its own state.
import assert from "node:assert/strict";
import { test } from "node:test";

import { floorOf } from "../src/race/outcome.js";
import { simulate } from "../src/race/simulate.js";
import { tune } from "../src/race/tune.js";
import { lessons } from "../src/state/lessons.js";
import { normalize } from "../src/state/state.js";
import { decode, encode } from "../src/state/url.js";
import { createSurface } from "../src/surfaces/index.js";

const checked = new Set();

/** A test of one lesson: its state with changes, run. */
function lesson(id, claim) {
  checked.add(id);
  test(`lesson ${id}`, () => claim((changes = {}) => run({ ...find(id).state, ...changes })));
}

const find = (id) => lessons.find((one) => one.id === id);

function run(given) {
  const state = normalize(given);
  assert.deepEqual(state.notes, []);
  const { id, parameters, formula } = state.surface;
  const surface = createSurface(id, parameters, { formula });
  const paths = state.racers.map((racer) => simulate(racer, surface, state.start, state.steps));
  const floor = floorOf(surface);
  return { state, surface, floor, paths: paths.map((path) => view(path, floor)) };
}

/** A path with what the claims ask about. */
function view(path, floor) {
  const excess = (k) => path.loss[Math.min(k, path.steps)] - floor;
  const goal = floor + 0.01 * (path.loss[0] - floor);
  const reached = path.loss.findIndex((loss) => loss <= goal);
  return {
    ...path,
    excess,
    end: excess(path.steps),
    at: (k) => [path.x[k], path.y[k]],
    reached: reached < 0 ? Infinity : reached,
    rate: (axis, k) => (path[axis][k] - path[axis][k + 1]) / path[`g${axis}`][k],
    slope: (k) => Math.hypot(path.gx[k], path.gy[k]),
    inside: ([x0, x1, y0, y1]) =>
      path.x.every((x) => x >= x0 && x <= x1) && path.y.every((y) => y >= y0 && y <= y1),
  };
}

const close = (value, wanted, tolerance) =>
  assert.ok(Math.abs(value - wanted) <= tolerance, `${value} is not within ${tolerance} of ${wanted}`);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const after = (path, from) => Array.from({ length: path.steps + 1 - from }, (_, k) => path.excess(from + k));

lesson("race", (open) => {
  const { paths } = open();
  const [sgd, momentum, nesterov, rmsprop, adamw] = paths;
  for (const path of [sgd, rmsprop]) {
    for (let k = 10; k <= path.steps; k++) close(path.y[k], Math.sin(1.5 * path.x[k]), 0.15);
    assert.ok(path.reached === Infinity && path.x[path.steps] < 1, "they walk along the floor");
  }
  for (const fast of [momentum, nesterov]) assert.ok(fast.reached < 60, "they gather speed");
  assert.ok(
    adamw.x[20] < adamw.x[0] - 1 && adamw.end < rmsprop.end,
    "it sets off the wrong way and comes back",
  );
});

lesson("ravine", (open) => {
  const { paths, state } = open();
  const [large, small] = paths;
  for (let k = 0; k < 20; k++) assert.ok(large.y[k] * large.y[k + 1] < 0, "from wall to wall");
  assert.ok(
    small.y.every((y) => y >= 0),
    "straight",
  );
  close(large.reached, 60, 5);
  assert.ok(small.reached === Infinity);
  const over = open({ racers: [{ optimizer: "SGD", options: { lr: 0.0201 } }] }).paths[0];
  assert.ok(Math.abs(over.y[state.steps]) > Math.abs(over.y[0]), "above 0.02 it diverges along y");
  const round = open({ surface: { id: "quadratic", parameters: { condition: 2 } } }).paths;
  for (const path of round)
    assert.ok(
      path.y.every((y) => y >= 0),
      "no walls at 2",
    );
});

lesson("momentum", (open) => {
  const [heavy, plain] = open().paths;
  assert.deepEqual([heavy.reached, plain.reached], [18, 57]);
  close(plain.lr[0], 2 / (2 + 100), 1e-4);
  // The best settings in theory: 2 / (l + L), and 4 / (√l + √L)² with ((√κ - 1) / (√κ + 1))².
  const steps = (condition, root) => {
    const [l, L] = [2, 2 * condition];
    const lr = root ? 4 / (Math.sqrt(l) + Math.sqrt(L)) ** 2 : 2 / (l + L);
    const beta = root ? ((Math.sqrt(condition) - 1) / (Math.sqrt(condition) + 1)) ** 2 : 0;
    const surface = { id: "quadratic", parameters: { condition } };
    const racers = [{ optimizer: "SGD", options: { lr, momentum: beta } }];
    return open({ surface, racers, start: [-4.5, 0.1], steps: 2000 }).paths[0].reached;
  };
  close(steps(400, false) / steps(100, false), 4, 0.8);
  close(steps(400, true) / steps(100, true), 2, 0.6);
});

lesson("nesterov", (open) => {
  const [heavy, nesterov] = open().paths;
  assert.ok(nesterov.reached < heavy.reached);
  const overshoot = (path) => -Math.min(...path.y);
  assert.ok(overshoot(nesterov) < 0.5 * overshoot(heavy), "it brakes before the wall");
  assert.ok(mean(after(nesterov, 20)) < 0.5 * mean(after(heavy, 20)), "and rests sooner");
});

lesson("saddle", (open) => {
  const { paths, state } = open();
  const left = paths.map((path) => path.y.findIndex((y) => Math.abs(y) > 0.5));
  assert.ok(left[0] >= 45 && left[0] <= 55, "SGD waits 50 steps");
  for (const other of left.slice(1)) assert.ok(other > 0 && other < 0.75 * left[0]);
  assert.ok(paths[0].slope(25) < 0.05, "the gradient is nearly zero");
  const ridge = open({ start: [state.start[0], 0] }).paths;
  for (const path of ridge.slice(0, 3)) assert.equal(path.y[state.steps], 0, "nobody leaves the ridge");
  assert.ok(Math.abs(ridge[3].y[state.steps]) > 0.9, "but for noise");
});

lesson("plateau", (open) => {
  const { paths } = open();
  const [slow, faster, adam, rmsprop] = paths;
  close(slow.slope(0), 0.0006, 0.00005);
  for (const path of [slow, faster]) assert.ok(path.excess(200) > 0.98 * path.excess(0));
  for (const path of [adam, rmsprop]) assert.ok(path.reached <= 60);
});

lesson("adam", (open) => {
  const [adam, sgd] = open().paths;
  close(Math.abs(adam.gy[0] / adam.gx[0]), 50, 1e-9);
  for (let k = 0; k < 10; k++) {
    for (const axis of ["x", "y"]) close(Math.abs(adam[axis][k + 1] - adam[axis][k]), 0.1, 0.003);
  }
  close(Math.abs((sgd.y[1] - sgd.y[0]) / (sgd.x[1] - sgd.x[0])), 50, 1e-9);
  const other = open({ surface: { id: "quadratic", parameters: { condition: 5 } } }).paths;
  for (let k = 0; k < 10; k++) close(other[0].y[k], adam.y[k], 1e-3);
  assert.ok(Math.abs(other[1].y[1] - sgd.y[1]) > 1);
});

lesson("adagrad", (open) => {
  const [adagrad, rmsprop] = open().paths;
  for (const axis of ["x", "y"]) {
    for (let k = 1; k < 1000; k++)
      assert.ok(adagrad.rate(axis, k) <= adagrad.rate(axis, k - 1) * (1 + 1e-9), "it only falls");
  }
  assert.ok(adagrad.rate("x", 999) < 0.5 * adagrad.rate("x", 0));
  assert.ok(rmsprop.rate("x", 999) > 4 * rmsprop.rate("x", 20), "it grows again");
  assert.ok(adagrad.end > 20 * rmsprop.end);
});

test("lesson adagrad: both rates are the best that were found", async () => {
  const { state, surface, paths } = run(find("adagrad").state);
  for (const [i, racer] of state.racers.entries()) {
    const found = await tune(racer, surface, state.start, state.steps);
    assert.ok(
      paths[i].end <= 1.05 * found.loss,
      `${racer.optimizer}: ${found.lr} gives ${found.loss}, not ${paths[i].end}`,
    );
  }
});

lesson("decay", (open) => {
  const { paths, state } = open();
  close(Math.abs(paths[0].gx[0] / paths[0].gy[0]), 100, 1e-9);
  const [adam, coupled, adamw] = paths.map((path) => path.at(state.steps));
  close(adam[0], 2, 1e-6);
  close(adam[1], 2, 1e-6);
  close(coupled[0], 20 / 11, 1e-3); // where 10 (x - 2) + x and 0.1 (y - 2) + y are zero
  close(coupled[1], 0.2 / 1.1, 1e-3);
  close(adamw[0], adamw[1], 1e-3);
  assert.ok(adamw[0] < 1, "both alike");
  const weaker = open({ racers: [{ optimizer: "AdamW", options: { lr: 0.1, weight_decay: 0.2 } }] });
  for (const value of weaker.paths[0].at(400)) close(value, 1.85, 0.1);
});

lesson("l1", (open) => {
  const { paths, state } = open();
  const [step, gradient, l2] = paths;
  close(l2.y[state.steps], 1.5 / 12, 1e-6);
  assert.ok(
    step.y.slice(20).every((y) => y === 0),
    "exactly 0",
  );
  const tail = gradient.y.slice(60);
  assert.ok(
    tail.every((y) => y !== 0) && tail.some((y) => y < 0) && tail.some((y) => y > 0),
    "hops around 0",
  );
  for (const path of [gradient, step]) close(path.x[state.steps], 0.5, 1e-3);
});

lesson("clip", (open) => {
  const { paths, surface, state } = open();
  const [wild, clipped] = paths;
  const steepest = Math.max(...Array.from(wild.gx, (_, k) => wild.slope(k)));
  close(steepest / wild.slope(0), 15, 1.5);
  assert.ok(!wild.inside(surface.box), "thrown out of the picture");
  const out = Array.from(wild.x, (x) => x < surface.box[0]);
  assert.ok(out.filter((now, k) => now && !out[k - 1]).length >= 2, "again");
  assert.ok(clipped.inside(surface.box));
  assert.ok(Math.max(...after(clipped, 100)) < 0.05 && Math.max(...after(wild, 100)) > 1);
  assert.equal(state.racers[0].options.lr, state.racers[1].options.lr);
});

lesson("warmup", (open) => {
  const [large, warm, small] = open().paths;
  assert.deepEqual(large.ended, { step: 2, why: "diverged" });
  assert.equal(warm.ended, null);
  assert.equal(small.ended, null);
  assert.ok(warm.end < 0.05 * small.end);
  assert.equal(warm.lr[20], 0.01);
});

lesson("noise", (open) => {
  const { paths } = open();
  const [full, eight, one, falling] = paths;
  for (let k = 0; k < full.steps; k++) assert.ok(full.loss[k + 1] <= full.loss[k] + 1e-12, "straight");
  assert.ok(full.end < 1e-10);
  assert.ok(one.reached <= full.reached, "in as few steps");
  const tail = (path) => mean(after(path, 200));
  assert.ok(tail(one) > 4 * tail(eight) && tail(eight) > 1e3 * tail(full));
  assert.ok(falling.end < 0.02 * tail(one));
});

lesson("schedules", (open) => {
  const ends = [];
  for (let seed = 1; seed <= 15; seed++) {
    const racers = find("schedules").state.racers.map((racer) => ({ ...racer, seed }));
    ends.push(open({ racers }).paths.map((path) => path.end));
  }
  const medians = ends[0].map((_, i) => ends.map((row) => row[i]).sort((a, b) => a - b)[7]);
  const [constant, ...falling] = medians;
  for (const median of falling) assert.ok(median < 0.3 * constant, `${median} and ${constant}`);
  for (const median of falling.slice(0, 3)) assert.ok(median < 0.01 * constant, `${median} and ${constant}`);
});

lesson("restarts", (open) => {
  const { paths, surface } = open();
  const [once, cycles] = paths;
  const ends = [100, 200, 300].map((k) => cycles.at(k).map(Math.round).join());
  assert.equal(new Set(ends).size, 3, "three minima");
  const heights = [100, 200, 300].map((k) => cycles.excess(k));
  assert.ok(heights[0] > heights[1] + 0.5 && heights[1] > heights[2] + 0.5, "each lower than the last");
  assert.ok(once.end > cycles.end);
  assert.ok(cycles.inside(surface.box));
  let [lower, higher] = [0, 0];
  for (let seed = 0; seed < 100; seed++) {
    const racers = find("restarts").state.racers.map((racer) => ({ ...racer, seed }));
    const [long, short] = open({ racers }).paths;
    lower += short.end < long.end - 0.3;
    higher += short.end > long.end + 0.3;
  }
  assert.ok(lower > 20 && higher > 20 && Math.abs(lower - higher) < 15, `${lower} lower, ${higher} higher`);
  for (const k of [100, 200])
    assert.ok(cycles.lr[k] === 0.02 && cycles.lr[k - 1] < 0.001, "the rate jumps back up");
});

test("lesson fair", async () => {
  checked.add("fair");
  const { state, surface, paths } = run(find("fair").state);
  const place = (ends, i) => ends.filter((end) => end < ends[i]).length;
  const before = paths.map((path) => path.end);
  assert.equal(place(before, 3), 3, "Adam is last");
  for (let k = 0; k < 10; k++) close(Math.abs(paths[3].x[k + 1] - paths[3].x[k]), 0.001, 1e-4);
  const found = [];
  for (const racer of state.racers) found.push(await tune(racer, surface, state.start, state.steps));
  const tuned = found.map(({ loss }) => loss);
  assert.ok(tuned[3] < tuned[0], "Adam passes plain gradient descent");
  assert.equal(new Set(found.map(({ evaluations }) => evaluations)).size, 1);
});

/** Browsers round sines and powers in their own ways: what a lesson shows must not hang on that. */
test("lessons do not depend on the last digits", () => {
  for (const { id, state } of lessons) {
    const { paths, surface, state: whole } = run(state);
    const nudged = run({ ...state, start: whole.start.map((value) => value * (1 + 1e-12)) }).paths;
    const size = surface.box[1] - surface.box[0];
    paths.forEach((path, i) => {
      const other = nudged[i];
      assert.deepEqual(other.ended, path.ended, id);
      if (path.ended || (id === "clip" && i === 0)) return; // thrown about is what that one is to be
      const [x, y] = [other.x[path.steps] - path.x[path.steps], other.y[path.steps] - path.y[path.steps]];
      assert.ok(Math.hypot(x, y) < 1e-3 * size, `${id}, racer ${i}: ${Math.hypot(x, y)}`);
    });
  }
});

test("every lesson is whole, short, linked, checked, and fits into a link", () => {
  assert.deepEqual(new Set(lessons.map(({ id }) => id)), checked);
  for (const { id, title, text, link, state } of lessons) {
    assert.match(id, /^[a-z0-9]+$/);
    assert.ok(title.length <= 32 && link.label.length <= 25, "both fit on a line");
    for (const { label } of state.racers) assert.ok(!label || label.length <= 12, label);
    const sentences = text.split(/[.!?]"? /).length;
    assert.ok(sentences >= 2 && sentences <= 3 && text.length <= 400, `${id}: ${text.length} characters`);
    assert.match(link.href, /^https:\/\//);
    assert.ok(link.label);
    const whole = normalize({ ...state, lesson: id });
    assert.deepEqual(whole.notes, []);
    assert.ok(whole.racers.length <= 5 && whole.steps <= 1000);
    assert.ok(encode(whole).length < 700, `${encode(whole).length}`);
    assert.deepEqual(decode(encode(whole)), whole);
    assert.deepEqual(decode(`lesson=${id}`), whole, "a link of the lesson alone opens it");
  }
});
