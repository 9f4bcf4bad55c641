import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { App } from "../src/app.js";
import { normalize } from "../src/state/state.js";

let frames = [];

beforeEach(() => {
  frames = [];
  globalThis.requestAnimationFrame = (fn) => frames.push(fn);
  globalThis.cancelAnimationFrame = () => {};
});
afterEach(() => mock.restoreAll());

/** Lets the frames that were asked for happen at a time. */
const tick = (now) => frames.splice(0).forEach((fn) => fn(now));
const racers = [
  { optimizer: "SGD", options: { lr: 0.001 } },
  { optimizer: "Adam", options: { lr: 0.1 } },
];
const make = (options) => new App(normalize({ racers, steps: 80 }), options);

test("only the racer that changed is computed again", () => {
  const app = make();
  const [first, second] = app.paths;
  app.setRacer(1, { options: { lr: 0.2 } });
  assert.equal(app.paths[0], first);
  assert.notEqual(app.paths[1], second);
  app.setRacer(0, { hidden: true, label: "mine" });
  assert.equal(app.paths[0], first, "hiding and naming move nobody");
});

test("racers keep their paths when others are removed or copied", () => {
  const app = make();
  const [first, second] = app.paths;
  app.set({ racers: [app.state.racers[1]] });
  assert.deepEqual(app.paths, [second]);
  assert.notEqual(app.paths[0], first);
});

test("another start moves every path, and the change is heard once", () => {
  const app = make();
  const before = app.paths;
  const heard = [];
  for (const event of ["surface", "paths", "state"]) app.on(event, () => heard.push(event));
  app.set({ start: [0, 1] });
  app.paths.forEach((path, i) => assert.notEqual(path, before[i]));
  assert.deepEqual([app.paths[0].x[0], app.paths[0].y[0]], [0, 1]);
  assert.deepEqual(heard, ["paths", "state"]);
});

test("another surface brings its own start", () => {
  const app = make();
  app.set({ surface: { id: "saddle", parameters: {}, formula: "" } });
  assert.equal(app.surface.id, "saddle");
  assert.deepEqual(app.state.start, [...app.surface.start]);
});

test("a formula that cannot be read leaves the last surface standing and says why", () => {
  const app = make();
  app.set({ surface: { id: "formula", parameters: {}, formula: "x^2 + y^2" } });
  const good = app.surface;
  app.set({ surface: { id: "formula", parameters: {}, formula: "x^2 + sin" } });
  assert.equal(app.surface, good);
  assert.ok(app.surfaceProblem.message.length > 10);
  app.set({ surface: { id: "formula", parameters: {}, formula: "x^2 + 2*y^2" } });
  assert.equal(app.surfaceProblem, null);
  assert.equal(app.surface.f(1, 1), 3);
});

test("a racer whose options make no sense stands at the start and says why", () => {
  const app = make();
  app.setRacer(1, { options: { lr: 0.1, betas: [2, 0.9] } });
  assert.match(app.problems[1], /beta/);
  assert.equal(app.paths[1].steps, 0);
  assert.equal(app.paths[0].steps, 80);
  app.setRacer(1, { options: { lr: 0.1 } });
  assert.equal(app.problems[1], null);
});

test("a run of any number of steps plays in eight seconds at speed 1, and rests at the end", () => {
  for (const steps of [80, 4000]) {
    const app = make();
    app.set({ steps });
    app.play();
    assert.equal(app.step, 0, "from the end it begins anew");
    for (let now = 0; now <= 4000; now += 20) tick(now);
    assert.ok(Math.abs(app.step / steps - 0.5) < 0.01, `${app.step} of ${steps}`);
    for (let now = 4020; now <= 8100; now += 20) tick(now);
    assert.deepEqual([app.step, app.playing, app.state.playhead], [steps, false, null]);
    tick(8200);
    assert.equal(frames.length, 0, "at rest no frame is asked for");
  }
});

test("with reduced motion a run is a few still pictures", () => {
  const app = make({ reducedMotion: true });
  const seen = new Set();
  app.on("step", () => seen.add(app.step));
  app.play();
  for (let now = 0; now < 9000; now += 16) tick(now);
  assert.equal(app.step, 80);
  assert.ok(seen.size <= 12, `${seen.size} pictures`);
});

test("the playhead stays where it is when a rate changes, and follows the end when it rests there", () => {
  const app = make();
  app.setStep(30);
  app.setRacer(0, { options: { lr: 0.002 } });
  assert.equal(app.step, 30);
  app.set({ steps: 20 });
  assert.equal(app.step, 20);
  app.set({ playhead: null, steps: 50 });
  assert.equal(app.step, 50);
});

test("changes between two frames are drawn once", () => {
  const app = make();
  const view = { draw: mock.fn() };
  app.colors = {};
  app.views.add(view);
  for (const x of [1, 2, 3]) app.set({ start: [x, 0] });
  tick(0);
  assert.equal(view.draw.mock.callCount(), 1);
});

test("selection and hover do not outlive their racer", () => {
  const app = make();
  app.selected = 1;
  app.setHover({ racer: 1, step: 3 });
  app.set({ racers: [app.state.racers[0]] });
  assert.deepEqual([app.selected, app.hover], [0, null]);
  app.selected = 7;
  assert.equal(app.selected, 0);
});

test("at speed 2 a run takes half the time, and a page that slept does not leap", () => {
  const app = make();
  app.set({ steps: 4000, speed: 2 });
  app.play();
  for (let now = 0; now <= 2000; now += 20) tick(now);
  assert.ok(Math.abs(app.step - 2000) < 40, `${app.step}`);
  tick(600_000);
  assert.ok(app.step < 2200 && app.playing, `${app.step}`);
});
