import assert from "node:assert/strict";
import { test } from "node:test";

import { lossModel } from "../src/views/loss.js";
import { bestOf, frameOf } from "../src/views/phase-map.js";
import { level, oklab, paint, ramp } from "../src/views/phase-colors.js";
import { nextCell } from "../src/views/phase-input.js";
import { rates } from "../src/views/phase-job.js";
import { effective, ratesModel } from "../src/views/rates.js";
import { scheduleModel } from "../src/views/schedule.js";

const racer = (more) => ({
  optimizer: "SGD",
  options: { lr: 0.1 },
  transforms: [],
  warmup: 0,
  schedule: null,
  noise: 0,
  batch: 0,
  hidden: false,
  hue: 0,
  ...more,
});
const path = (loss, more) => ({
  steps: loss.length - 1,
  loss: Float64Array.from(loss),
  ended: null,
  ...more,
});

function appOf(paths, { log = true, minima = [], f = () => 0, racers, steps = 4 } = {}) {
  return {
    selected: 0,
    paths,
    surface: { minima, f, names: ["x", "y"] },
    state: { steps, view: { log }, racers: racers ?? paths.map((_, hue) => racer({ hue })) },
  };
}

test("the loss has a logarithmic axis where it is asked for and positive", () => {
  const [panel] = lossModel(appOf([path([10, 1, 0.1])])).panels;
  assert.ok(panel.log && panel.low < 0.1 && panel.high > 10);
  assert.equal(panel.title, "loss");
  assert.equal(lossModel(appOf([path([10, 1, 0.1])], { log: false })).panels[0].log, false);
});

test("where losses are negative, a known minimum is subtracted, and said; else the axis is linear", () => {
  const losses = [path([1, -1, -1.9])];
  const [panel] = lossModel(appOf(losses, { minima: [[0, 0]], f: () => -2 })).panels;
  assert.equal(panel.title, "loss above the minimum");
  assert.ok(panel.log);
  assert.deepEqual(Array.from(panel.curves[0].values), [3, 1, -1.9 + 2]);
  const [plain] = lossModel(appOf(losses)).panels;
  assert.deepEqual([plain.title, plain.log], ["loss", false]);
  assert.ok(plain.low < -1.9 && plain.high > 1);
});

test("a racer that diverged does not flatten the others, and is marked at its last finite loss", () => {
  const ended = { step: 3, why: "diverged" };
  const [panel] = lossModel(appOf([path([10, 5, 1]), path([10, 1e8, 1e200, Infinity], { ended })])).panels;
  assert.ok(panel.high < 200);
  assert.deepEqual(
    panel.curves.map(({ end }) => end),
    [{ step: 2, word: "diverged" }, null],
  );
});

test("twelve decades are shown at most, and a loss of exactly 0 does not break the axis", () => {
  const [panel] = lossModel(appOf([path([1, 1e-40, 0])])).panels;
  assert.ok(Math.abs(Math.log10(panel.high / panel.low) - 12) < 0.5, "twelve decades");
  assert.ok(panel.low >= 1e-13 && panel.high < 2);
  const [zero] = lossModel(appOf([path([0, 0])])).panels;
  assert.ok(zero.low > 0 && zero.high > zero.low);
});

test("hidden racers have no curve, and the selected one is drawn last", () => {
  const racers = [racer(), racer({ hidden: true, hue: 1 }), racer({ hue: 2 })];
  const curves = lossModel(appOf([path([1]), path([1]), path([1])], { racers })).panels[0].curves;
  assert.deepEqual(
    curves.map((c) => [c.racer, c.strong]),
    [
      [2, false],
      [0, true],
    ],
  );
});

test("the effective rate of gradient descent is its rate, and a gradient of 0 has none", () => {
  const rate = effective([5, 4.6, 4.6, 4.7], [4, 0, -1]);
  assert.ok(Math.abs(rate[1] - 0.1) < 1e-12);
  assert.deepEqual([rate[0], rate[2]].map(Number.isNaN), [true, true]);
  assert.ok(Math.abs(rate[3] - 0.1) < 1e-12);
  const smooth = effective([5, 4, 2, 1], [10, 10, 10], 1e9);
  assert.ok(Math.abs(smooth[3] - 4 / 30) < 1e-6);
});

test("steps uphill are apart from those downhill, on one scale for both coordinates", () => {
  const moves = {
    x: Float64Array.of(3, 2, 3),
    gx: Float64Array.of(1, 1),
    y: Float64Array.of(0, 0, 0),
    gy: Float64Array.of(1, 1),
  };
  const { panels } = ratesModel(appOf([path([1, 1, 1], moves)]));
  assert.deepEqual(Array.from(panels[0].curves[0].values), [NaN, 1, NaN]);
  assert.deepEqual(Array.from(panels[0].curves[0].against), [NaN, NaN, 1]);
  assert.deepEqual([panels[0].low, panels[0].high], [panels[1].low, panels[1].high]);
  assert.match(panels[1].title, /dotted: uphill/);
});

test("the frame holds all rates but those far from the others, and no more than six decades", () => {
  const frame = (values) => {
    const lr = (rates) => [0, ...rates].map((_, i) => -rates.slice(0, i).reduce((sum, r) => sum + r, 0));
    const [x, gx] = [lr(values), values.map(() => 1)].map((all) => Float64Array.from(all));
    const still = { y: x.map(() => 0), gy: gx };
    const app = appOf([path(Array.from(x), { x, gx, ...still })], { steps: values.length });
    const { low, high } = ratesModel(app).panels[0];
    return { low, high, holds: (value) => low < value && value < high };
  };
  const most = Array.from({ length: 58 }, (_, i) => 0.1 + 0.001 * i);
  assert.ok(frame([...most, 0.5, 0.05]).holds(0.5));
  assert.ok(frame([...most, 0.5, 0.05]).holds(0.05));
  assert.ok(!frame([...most, 50, 0.05]).holds(50));
  const fading = frame(Array.from({ length: 60 }, (_, i) => 0.1 * 0.7 ** i));
  assert.ok(fading.holds(0.1) && fading.high / fading.low < 1.01e6);
  const { low, high } = frame([0.1, 0.1]);
  assert.ok(low > 0.03 && high < 0.31 && high / low > 8);
});

test("the schedule's axis is linear, or logarithmic where peaks are far apart", () => {
  const of = (...all) =>
    scheduleModel(appOf(all.map((lr) => path([1], { lr: Float64Array.from(lr) })))).panels[0];
  assert.deepEqual([of([0.1, 0.05]).log, of([0.1, 0.05]).low], [false, 0]);
  assert.equal(of([0.1, 0], [0.001, 0.001]).log, true);
  assert.deepEqual(Array.from(of([0.1, 0.05]).curves[0].values), [NaN, 0.1, 0.05]);
  assert.deepEqual([of([]).low, of([]).high], [0, 1]);
});

test("the ramp of the phase map is even: steps of lightness are equal within each theme", () => {
  for (const dark of [false, true]) {
    const lightness = [0, 64, 128, 192, 255].map((i) => oklab(ramp(dark)[i])[0]);
    const steps = lightness.slice(1).map((l, i) => Math.abs(l - lightness[i]));
    assert.ok(Math.max(...steps) / Math.min(...steps) < 2, `${dark}: ${steps}`);
    const ordered = lightness.every(
      (l, i) => i === 0 || (dark ? l > lightness[i - 1] : l < lightness[i - 1]),
    );
    assert.ok(ordered);
  }
  assert.deepEqual([level(0, -8), level(-8, -8), level(-20, -8)], [0, 255, 255]);
});

const map = {
  columns: 2,
  rows: 2,
  values: Float64Array.of(-4, Infinity, 0, NaN),
  lr: { values: Float64Array.of(0.01, 0.1) },
  other: { name: "momentum", values: Float64Array.of(0, 0.9) },
};

test("a map's first row is below; divergence is hatched, and what is unknown is empty", () => {
  const pixels = paint(map, -4, 40, 40, false);
  const at = (x, y) => Array.from(pixels.slice(4 * (y * 40 + x), 4 * (y * 40 + x) + 4));
  assert.deepEqual(at(2, 37), [...ramp(false)[255], 255]);
  assert.deepEqual(at(2, 2), [...ramp(false)[0], 255]);
  assert.equal(at(37, 2)[3], 0);
  assert.notDeepEqual(at(37, 37), at(36, 36 + 5), "a hatch has two tones");
  assert.equal(bestOf(map), -4);
});

test("cells have their value in the middle", () => {
  const frame = frameOf(map, 254, 146);
  assert.ok(Math.abs(frame.x.at(0.01) - (frame.left + (frame.right - frame.left) / 4)) < 1e-9);
  assert.ok(Math.abs(frame.y.at(0.9) - (frame.top + (frame.bottom - frame.top) / 4)) < 1e-9);
});

test("arrow keys move over the map and stop at its edges", () => {
  assert.deepEqual(nextCell({ key: "ArrowUp" }, { column: 1, row: 0 }, map), { column: 1, row: 1 });
  assert.deepEqual(nextCell({ key: "ArrowRight", shiftKey: true }, { column: 0, row: 0 }, map), {
    column: 1,
    row: 0,
  });
  assert.equal(nextCell({ key: "Enter" }, { column: 0, row: 0 }, map), null);
});

test("the rates of a map are whole decades around the racer's and stay while they hold it", () => {
  assert.deepEqual(rates(0.02, null), [1e-5, 1]);
  assert.deepEqual(rates(0.9, [1e-5, 1]), [1e-5, 1]);
  assert.deepEqual(rates(20, [1e-5, 1]), [0.01, 1000]);
  assert.deepEqual(rates(0, null), [1e-5, 1]);
});

test("a positive minimum is subtracted once the racers are near it", () => {
  const title = (losses) =>
    lossModel(appOf([path(losses)], { minima: [[0, 0]], f: () => 0.3 })).panels[0].title;
  assert.equal(title([20, 2, 0.4]), "loss above the minimum");
  assert.equal(title([20, 2, 0.8]), "loss");
});

test("a racer that fell without end does not flatten the others", () => {
  const ended = { step: 3, why: "diverged" };
  const [panel] = lossModel(appOf([path([1, 0.5]), path([1, -10, -1e9], { ended })])).panels;
  assert.equal(panel.log, false);
  assert.ok(panel.low > -20 && panel.high < 3);
});
