// The geometry of the stage: what is shown where, which lines are drawn, and which trail a pointer is near
// to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compose } from "../src/engine/program.js";
import { transforms as library } from "../src/generated/library.js";
import { createSurface } from "../src/surfaces/index.js";
import { pick } from "../src/views/contour-pick.js";
import { createFrame, fitted, panned, plotRect, tidy, zoomed } from "../src/views/contour-frame.js";
import { createHeights, HOLE, levelsBetween } from "../src/views/contour-levels.js";
import { moveOf, rounded } from "../src/views/handle.js";
import { levelsWithin, penaltyOf } from "../src/views/penalty-strengths.js";
import { exitOf } from "../src/views/trails-ends.js";
import { clipped, trailPieces } from "../src/views/trails-lines.js";
import { markPath } from "../src/views/trails-marks.js";

const RECT = { left: 50, top: 10, right: 850, bottom: 610 };
const near = (a, b, tolerance = 1e-9) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
const pathOf = (...points) => ({
  x: Float64Array.from(points, ([x]) => x),
  y: Float64Array.from(points, ([, y]) => y),
  ended: null,
});

test("both axes have one scale, unless that would show far too much", () => {
  const [x0, x1, y0, y1] = fitted([-3, 3, -3, 3], RECT);
  near((x1 - x0) / 800, (y1 - y0) / 600);
  assert.deepEqual([y0, y1], [-3, 3]);
  assert.deepEqual(fitted([-5, 5, -0.5, 0.5], RECT), [-5, 5, -0.5, 0.5]);
  assert.deepEqual(fitted([x0, x1, y0, y1], RECT), [x0, x1, y0, y1], "what fits stays");
});

test("a frame maps the plane to the canvas and back", () => {
  const frame = createFrame([-2, 2, -1, 2], RECT);
  assert.deepEqual([frame.px(-2), frame.py(-1)], [50, 610]);
  assert.deepEqual([frame.px(2), frame.py(2)], [850, 10]);
  near(frame.x(frame.px(0.37)), 0.37);
  near(frame.y(frame.py(-0.2)), -0.2);
  assert.ok(frame.contains(50, 10) && !frame.contains(49, 10));
});

test("a drag moves what is shown with the pointer, a zoom keeps the place under it", () => {
  const frame = createFrame([-2, 2, -1, 2], RECT);
  const moved = createFrame(panned(frame, 80, -60), RECT);
  near(moved.px(0.5), frame.px(0.5) + 80);
  near(moved.py(0.5), frame.py(0.5) - 60);
  const closer = createFrame(zoomed(frame, 4, 300, 200, [-2, 2, -1, 2]), RECT);
  near(closer.x(300), frame.x(300));
  near(closer.y(200), frame.y(200));
  near(closer.shown[1] - closer.shown[0], 1);
  const far = zoomed(frame, 1e-9, 300, 200, [-2, 2, -1, 2]);
  near(far[1] - far[0], 200, 1e-6);
  const close = zoomed(frame, 1e12, 300, 200, [-2, 2, -1, 2]);
  near(close[1] - close[0], 4e-6, 1e-9);
});

test("a measured surface has a plot of its own shape", () => {
  const plain = plotRect({ width: 900, height: 620 }, { box: [-1, 1, -1, 1] });
  const measured = plotRect({ width: 900, height: 620 }, { box: [-1, 1, -1, 1], measured: true });
  assert.ok(plain.right - plain.left > plain.bottom - plain.top);
  near(measured.right - measured.left, measured.bottom - measured.top);
  near(measured.left + measured.right, plain.left + plain.right);
  const flat = plotRect({ width: 900, height: 620 }, { box: [-4, 4, -1, 1], measured: true });
  near(flat.right - flat.left, 4 * (flat.bottom - flat.top));
  near(flat.top + flat.bottom, plain.top + plain.bottom);
});

test("coordinates in links are short and still where they were", () => {
  assert.equal(rounded(1.23456789, 4), 1.235);
  assert.equal(rounded(-123.456, 1000), -123);
  const box = [-1.23456789, 2.3456789, 0.1111111111, 0.2222222222];
  const short = tidy(box);
  short.forEach((value, k) => near(value, box[k], 2e-5));
  assert.ok(String(short).length < 40);
});

test("heights run from the lowest to the highest loss of the box, and order is kept", () => {
  for (const id of ["quadratic", "rosenbrock", "saddle", "logistic", "rastrigin"]) {
    const surface = createSurface(id);
    const heights = createHeights(surface);
    near(heights.share(heights.low), 0);
    near(heights.share(heights.high), 1, 1e-12);
    let before = -1;
    for (let k = 0; k <= 50; k++) {
      const share = heights.share(heights.low + (k / 50) * (heights.high - heights.low));
      assert.ok(share > before);
      before = share;
    }
    assert.equal(heights.shown(NaN), HOLE);
    assert.ok(heights.shown(Infinity) > 1 && heights.shown(Infinity) < HOLE);
    assert.equal(heights.shown(-Infinity), 0);
  }
});

test("a constant surface and one without finite losses have a scale too", () => {
  for (const f of [() => 3, () => NaN, () => Infinity]) {
    const heights = createHeights({ f, box: [-1, 1, -1, 1], minima: [], height: "log" });
    assert.ok(heights.high > heights.low);
    assert.ok(levelsBetween(heights, heights.low, heights.high).length < 40);
  }
});

test("levels are round numbers within the range, about as many as asked for", () => {
  const valley = createHeights(createSurface("rosenbrock"));
  const found = levelsBetween(valley, 0, 2500);
  assert.ok(found.length >= 5 && found.length <= 22, String(found.length));
  assert.deepEqual(
    [...found].sort((a, b) => a - b),
    found,
  );
  for (const level of found) assert.match(level.toExponential(), /^[1235]e/);
  const even = levelsBetween({ low: -4, log: false }, -4, 4);
  assert.ok(even.includes(0) && even.every((v) => v > -4 && v < 4));
});

test("a line is cut where it leaves the margin of the picture", () => {
  assert.deepEqual(clipped(100, 100, 200, 100, RECT, 0), [100, 100, 200, 100]);
  assert.deepEqual(clipped(100, 100, 2000, 100, RECT, 0), [100, 100, 850, 100]);
  clipped(-100, 100, 1000, 100, RECT, 10).forEach((value, k) => near(value, [40, 100, 860, 100][k], 1e-9));
  assert.equal(clipped(-100, -5, 1000, -5, RECT, 0), null);
  assert.equal(clipped(100, 100, NaN, 5, RECT, 0), null);
  const [, , x, y] = clipped(100, 100, 1e300, 1e300, RECT, 0);
  near(x, y, 1e-6);
  assert.ok(y <= 610);
});

test("a trail has a piece a step, ends inside a segment, and leaves out what cannot be seen", () => {
  const frame = createFrame([0, 8, 0, 6], RECT);
  const path = pathOf([1, 1], [2, 1], [2.001, 1], [2, 2], [2, 40], [3, 41], [4, 2]);
  const whole = trailPieces(path, frame, 0, 6);
  assert.equal(whole.count, 4, "two steps, a cut one, one that comes back; not the one outside");
  const half = trailPieces(path, frame, 0, 0.5);
  assert.deepEqual([...half.pieces.subarray(0, 4)], [150, 510, 200, 510]);
  near(trailPieces(path, frame, 1, 3, whole.pieces[5]).pieces[4], whole.pieces[5]);
});

test("where a racer left for good", () => {
  const frame = createFrame([0, 8, 0, 6], RECT);
  assert.equal(exitOf(pathOf([1, 1], [2, 2]), frame, 1, 0), null);
  const up = exitOf(pathOf([1, 1], [2, 10], [2, 3], [2, 9], [3, 1e9]), frame, 4, 5);
  assert.deepEqual([up.x, up.y, up.step, up.index, up.near], [250, 10, 3, 5, false]);
  near(up.angle, -Math.PI / 2);
  assert.equal(exitOf(pathOf([1, 1], [2, 10], [2, 3], [2, 9]), frame, 2, 5), null, "it had come back");
  const ended = { ...pathOf([1, 1], [2, 2]), ended: { step: 2, why: "not finite" } };
  assert.equal(exitOf(ended, frame, 1, 0), null);
  assert.deepEqual([exitOf(ended, frame, 2, 0).x, exitOf(ended, frame, 2, 0).step], [250, 2]);
  const never = exitOf(pathOf([20, 3], [21, 3]), frame, 1, 0);
  assert.deepEqual([never.x, never.step], [850, 0]);
  const zoomedIn = createFrame([0, 4, 0, 3], RECT, [0, 8, 0, 6]);
  assert.equal(exitOf(pathOf([1, 1], [6, 1]), zoomedIn, 1, 0).near, true);
});

test("the pointer finds the nearest step of a shown racer up to the playhead", () => {
  const frame = createFrame([0, 8, 0, 6], RECT);
  const at = ({ x, y }, k) => [frame.px(x[k]), frame.py(y[k])];
  const app = {
    step: 2,
    state: { racers: [{}, {}, { hidden: true }] },
    paths: [pathOf([1, 1], [3, 1], [5, 1], [7, 1]), pathOf([1, 5], [3, 5]), pathOf([1, 3], [3, 3])],
  };
  assert.deepEqual(pick(app, at, frame.px(3.4), frame.py(1) + 6), { racer: 0, step: 1 });
  assert.deepEqual(pick(app, at, frame.px(4.6), frame.py(1)), { racer: 0, step: 2 });
  assert.deepEqual(pick(app, at, frame.px(1.1), frame.py(5)), { racer: 1, step: 0 });
  assert.equal(pick(app, at, frame.px(7), frame.py(1)), null, "not there yet");
  assert.equal(pick(app, at, frame.px(2), frame.py(3)), null, "hidden");
  assert.equal(pick(app, at, frame.px(3), frame.py(1) + 18), null);
  assert.deepEqual(pick(app, at, frame.px(3), frame.py(1) + 18, "touch"), { racer: 0, step: 1 });
});

test("ten marks, all different and about as large", () => {
  const paths = Array.from({ length: 10 }, (_, hue) => markPath(hue, 10));
  assert.equal(new Set(paths).size, 10);
  for (const path of paths) {
    assert.match(path, /^M.*Z$/);
    const numbers = path.match(/-?[\d.]+/g).map(Number);
    assert.ok(Math.max(...numbers.map(Math.abs)) <= 20);
  }
  assert.equal(markPath(13, 10), paths[3]);
});

test("what pulls a racer to zero", () => {
  assert.deepEqual(penaltyOf({ options: { lr: 1 }, transforms: [] }), { l1: 0, l2: 0 });
  const transforms = [
    { name: "elastic_net_penalty", options: { l1: 0.1, l2: 0.2 } },
    { name: "l1_prox", options: { l1: 1 } },
  ];
  assert.deepEqual(penaltyOf({ options: { weight_decay: 0.5 }, transforms }), { l1: 1.1, l2: 0.9 });
  assert.deepEqual(
    penaltyOf({ options: {}, transforms: [{ name: "clip_norm", options: { max_norm: 1 } }] }),
    { l1: 0, l2: 0 },
  );
});

test("every transform pulls as its step without a gradient does", () => {
  const lr = 1e-7;
  for (const [name, { example }] of Object.entries(library)) {
    const { l1, l2 } = penaltyOf({ transforms: [{ name, options: example }] });
    const start = [2, -3];
    const run = compose("SGD", { lr }, [{ name, options: example }]).begin(start);
    run.step((p, out) => out.fill(0), lr);
    start.forEach((p, i) => {
      const pull = (p - run.p[i]) / lr;
      assert.ok(Math.abs(pull - (l1 * Math.sign(p) + l2 * p)) < 1e-6, `${name}: ${pull}`);
    });
  }
});

test("lines of equal penalty are drawn at round values inside the picture", () => {
  assert.deepEqual(levelsWithin(0, 10), [1, 2, 3, 4, 5, 6]);
  for (const [low, high] of [
    [0, 0.013],
    [4, 5],
    [0, 7e5],
  ]) {
    const levels = levelsWithin(low, high);
    assert.ok(levels.length >= 3 && levels.every((level) => level > low && level < high));
  }
});

test("arrow keys move the start by a hundredth of the view, with shift by a tenth", () => {
  const shown = [0, 10, -1, 3];
  assert.deepEqual(moveOf({ key: "ArrowRight" }, shown), [0.1, 0]);
  assert.deepEqual(moveOf({ key: "ArrowUp", shiftKey: true }, shown), [0, 0.4]);
  assert.deepEqual(moveOf({ key: "ArrowLeft", shiftKey: true }, shown), [-1, 0]);
  assert.equal(moveOf({ key: "ArrowLeft", ctrlKey: true }, shown), null);
  assert.equal(moveOf({ key: "x" }, shown), null);
});
