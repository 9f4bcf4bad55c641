// The 3-D view: the camera, rays that meet the surface, trails that lie on it and hide behind it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSurface } from "../src/surfaces/index.js";
import { createCamera, HEIGHT, START } from "../src/views/gl/camera.js";
import { createField, isHidden, meet, SIDE } from "../src/views/gl/field.js";
import { startPlaceOn } from "../src/views/handle-ring.js";
import { fitPose } from "../src/views/surface3d-orbit.js";
import { drape, project } from "../src/views/surface3d-trails.js";

const SIZE = { width: 900, height: 620 };
const near = (a, b, tolerance) => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

test("the whole block is on the canvas, large, for every shape of the canvas", () => {
  for (const size of [SIZE, { width: 360, height: 300 }, { width: 300, height: 700 }]) {
    const camera = createCamera(START, size, { sx: 1, sy: 0.8 });
    const places = [];
    for (const x of [-0.5, 0.5])
      for (const y of [-0.4, 0.4]) for (const z of [0, HEIGHT]) places.push(camera.project(x, y, z));
    const [xs, ys] = [places.map((p) => p[0]), places.map((p) => p[1])];
    assert.ok(
      Math.min(...xs) > 0 &&
        Math.max(...xs) < size.width &&
        Math.min(...ys) > 0 &&
        Math.max(...ys) < size.height,
    );
    const wide = (Math.max(...xs) - Math.min(...xs)) / size.width;
    const high = (Math.max(...ys) - Math.min(...ys)) / size.height;
    assert.ok(Math.max(wide, high) > 0.7, `${wide} ${high}`);
  }
});

test("a ray through a pixel goes through the place that is seen there", () => {
  const camera = createCamera([25, 50, 1.4], SIZE, { sx: 1, sy: 1 });
  for (const place of [
    [0.2, -0.3, 0.1],
    [-0.5, 0.5, 0],
    [0, 0, 0.4],
  ]) {
    const [px, py] = camera.project(...place);
    const { from, along } = camera.ray(px, py);
    const t = (place[2] - from[2]) / along[2];
    near(from[0] + t * along[0], place[0], 1e-9);
    near(from[1] + t * along[1], place[1], 1e-9);
  }
});

test("the matrix for the graphics card projects as the camera does", () => {
  const camera = createCamera([-70, 30, 0.8], SIZE, { sx: 1, sy: 1 });
  const m = camera.matrix();
  for (const place of [
    [0.2, -0.3, 0.1],
    [-0.5, 0.5, 0],
    [0.4, 0.1, 0.4],
  ]) {
    const clip = [0, 1, 2, 3].map((row) =>
      place.reduce((sum, v, k) => sum + v * m[4 * k + row], m[12 + row]),
    );
    const [px, py] = camera.project(...place);
    near((clip[0] / clip[3] + 1) * 450, px, 1e-2);
    near((1 - clip[1] / clip[3]) * 310, py, 1e-2);
    assert.ok(Math.abs(clip[2] / clip[3]) < 1, "between the near and the far plane");
  }
});

test("a place of the surface is found again from its pixel", () => {
  const field = createField(createSurface("quadratic", { condition: 2 }));
  const camera = createCamera([0, 75, 1], SIZE, field);
  for (const [x, y] of [
    [0, 0],
    [2, -1],
    [-3, 2],
  ]) {
    const [px, py] = camera.project(...field.place(x, y));
    const found = meet(field, camera.ray(px, py));
    const [a, b] = field.plane(found[0], found[1]);
    near(a, x, 0.02);
    near(b, y, 0.02);
  }
  assert.equal(meet(field, camera.ray(-400, -400)), null);
});

test("a hill hides what lies behind it", () => {
  const hill = {
    f: (x, y) => Math.exp(-4 * (x * x + y * y)),
    box: [-2, 2, -2, 2],
    minima: [],
    height: "linear",
  };
  const field = createField(hill);
  const low = createCamera([0, 12, 1], SIZE, field);
  const high = createCamera([0, 80, 1], SIZE, field);
  assert.equal(isHidden(field, field.place(0, 0.9), low.eye), true);
  assert.equal(isHidden(field, field.place(0, -0.9), low.eye), false);
  assert.equal(isHidden(field, field.place(0, 0.9), high.eye), false);
});

test("between the points of the mesh the surface is that of its triangles", () => {
  const rough = { f: (x, y) => Math.sin(1e4 * x + 3e4 * y), box: [0, 1, 0, 1], minima: [], height: "linear" };
  const field = createField(rough);
  const { values } = field;
  const side = SIDE;
  const at = (j, i) => values[i * side + j];
  const top = (j, i) =>
    field.top((j / (side - 1) - 0.5) * field.sx, (i / (side - 1) - 0.5) * field.sy) / HEIGHT;
  near(top(7, 9), at(7, 9), 1e-9);
  near(top(7.25, 9.25), at(7, 9) / 2 + at(8, 9) / 4 + at(7, 10) / 4, 1e-6);
  near(top(7.75, 9.75), at(8, 10) / 2 + at(8, 9) / 4 + at(7, 10) / 4, 1e-6);
  near(top(side + 3, side - 1), at(side - 1, side - 1), 1e-9);
});

test("a trail lies on the surface, is cut at its border, and knows how far it is at each step", () => {
  const field = createField(createSurface("quadratic", { condition: 2 }));
  const path = { x: [-4, 4, 4, 90, 91, -4], y: [1, 1, 1, 1, 1, 1] };
  const { points, reached } = drape(path, field);
  assert.equal(reached[0], 0);
  assert.ok(reached[1] > 50, "a long step follows the ground");
  assert.equal(reached[2], reached[1], "no move, no piece");
  assert.equal(reached[3], reached[4], "outside nothing is drawn");
  let joins = 0;
  for (let k = 0; k < points.length; k += 4) {
    assert.ok(Math.abs(points[k]) <= field.sx / 2 + 1e-9);
    near(points[k + 2], field.top(points[k], points[k + 1]), 0.01);
    joins += points[k + 3] ? 0 : 1;
  }
  assert.equal(joins, 2, "it begins twice: at the start and where it comes back");
});

test("projected pieces join and grow with the steps", () => {
  const field = createField(createSurface("rosenbrock"));
  const camera = createCamera(START, SIZE, field);
  const path = { x: [-1.5, -1, -0.5, 0, 0.5], y: [2.2, 1, 0.3, 0, 0.2] };
  const { seen, behind } = project(drape(path, field), field, camera);
  const all = seen.count + behind.count;
  assert.ok(all > 20);
  for (const { until } of [seen, behind]) for (let k = 1; k < 5; k++) assert.ok(until[k] >= until[k - 1]);
  assert.equal(seen.until[4], seen.count);
  const { pieces } = seen;
  for (let k = 5; k < 5 * Math.min(seen.count, 10); k += 5) near(pieces[k], pieces[k - 3], 1e-9);
  for (let k = 5; k < 5 * seen.count; k += 5) assert.ok(pieces[k + 4] >= pieces[k - 1]);
});

test("what is behind a hill is drawn apart", () => {
  const hill = {
    f: (x, y) => Math.exp(-4 * (x * x + y * y)),
    box: [-2, 2, -2, 2],
    minima: [],
    height: "linear",
  };
  const field = createField(hill);
  const camera = createCamera([0, 12, 1], SIZE, field);
  const { seen, behind } = project(drape({ x: [-1.9, 1.9], y: [0.9, 0.9] }, field), field, camera);
  assert.ok(behind.count > 5 && seen.count > 5, `${behind.count} ${seen.count}`);
});

test("poses stay sensible and short", () => {
  assert.deepEqual(fitPose([190.26, 120, 99]), [-169.5, 90, 6]);
  assert.deepEqual(fitPose([-38, -20, 0]), [-38, 8, 0.5]);
});

test("yaw 0 looks along y, yaw 90 along x", () => {
  const depth = (yaw, ...place) => createCamera([yaw, 30, 1], SIZE, { sx: 1, sy: 1 }).project(...place)[2];
  assert.ok(depth(0, 0, 0.3, 0) > depth(0, 0, -0.3, 0));
  assert.ok(depth(90, 0.3, 0, 0) > depth(90, -0.3, 0, 0));
});

test("a start beside the surface or the picture has its ring on the border, faint", () => {
  const size = { width: 400, height: 300 };
  const at = (x, y) => [200 + 50 * x, 150 - 50 * y];
  const app = (start) => ({ state: { start }, surface: { box: [-2, 2, -2, 2] } });
  assert.deepEqual(startPlaceOn(app([1, -1]), at, size), { x: 250, y: 200, out: false });
  assert.deepEqual(startPlaceOn(app([9, -1]), at, size), { x: 300, y: 200, out: true });
  const zoomed = (x, y) => [200 + 500 * x, 150 - 500 * y];
  assert.deepEqual(startPlaceOn(app([1, 0]), zoomed, size), { x: 382, y: 150, out: true });
});
