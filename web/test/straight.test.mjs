// Lines and surfaces with fewer points: none of those left out lies off what is drawn.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSurface } from "../src/surfaces/index.js";
import { createFrame } from "../src/views/contour-frame.js";
import { createField, SIDE } from "../src/views/gl/field.js";
import { triangles } from "../src/views/gl/mesh.js";
import { straightened } from "../src/views/straight.js";
import { drape } from "../src/views/surface3d-trails.js";
import { merged, trailPieces } from "../src/views/trails-lines.js";

/** How far a point is from the nearest of the segments [ax, ay, bx, by]. */
function distance(x, y, segments) {
  const each = segments.map(([ax, ay, bx, by]) => {
    const [dx, dy] = [bx - ax, by - ay];
    const share = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
    const along = Math.min(Math.max(share, 0), 1);
    return Math.hypot(ax + along * dx - x, ay + along * dy - y);
  });
  return Math.min(...each);
}

const segmentsOf = (points) =>
  Array.from({ length: points.length / 2 - 1 }, (_, i) => points.slice(2 * i, 2 * i + 4));

const spiral = Array.from({ length: 2000 }, (_, i) => {
  const [angle, radius] = [i / 100, 200 - i / 12];
  return [250 + radius * Math.cos(angle), 250 + radius * Math.sin(angle)];
});

test("a smooth line keeps few of its points, and passes within a tenth of a pixel of the others", () => {
  const drawn = straightened(spiral.flat());
  assert.ok(drawn.length / 2 < 300, `${drawn.length / 2} points of ${spiral.length}`);
  assert.deepEqual([drawn.slice(0, 2), drawn.slice(-2)], [spiral[0], spiral.at(-1)]);
  const segments = segmentsOf(drawn);
  const worst = Math.max(...spiral.map(([x, y]) => distance(x, y, segments)));
  assert.ok(worst < 0.11, `${worst} pixels away`);
});

test("no corner is cut and no way back is lost", () => {
  const corner = [0, 0, 5, 0, 10, 0, 10, 5, 10, 10];
  assert.deepEqual(straightened(corner), [0, 0, 10, 0, 10, 10]);
  const spike = [0, 0, 10, 0, 20, 0, 15, 0, 5, 0];
  assert.deepEqual(straightened(spike), [0, 0, 20, 0, 5, 0]);
  const bent = [0, 0, 10, 0.05, 20, 0.4];
  assert.deepEqual(straightened(bent), bent, "the middle is 0.15 pixels off the straight line");
  const leftwards = [0, 0, -10, 0.01, -20, -0.01, -30, 0.01];
  assert.deepEqual(straightened(leftwards), [0, 0, -30, 0.01]);
  assert.deepEqual(straightened([3, 4]), [3, 4, 3, 4], "a single point begins and ends");
});

test("a trail of many short steps is drawn in few pieces that join, within a tenth of a pixel", () => {
  const frame = createFrame([0, 500, 0, 500], { left: 0, right: 500, top: 0, bottom: 500 });
  const path = { x: Float64Array.from(spiral, ([x]) => x), y: Float64Array.from(spiral, ([, y]) => y) };
  const { pieces, count } = merged(trailPieces(path, frame, 0, 1999));
  const segments = Array.from({ length: count }, (_, k) => [...pieces.subarray(5 * k, 5 * k + 4)]);
  assert.ok(count < 300, `${count} pieces of 1999`);
  for (let k = 1; k < count; k++) assert.deepEqual(segments[k].slice(0, 2), segments[k - 1].slice(2));
  const worst = Math.max(...spiral.map(([x, y]) => distance(x, 500 - y, segments)));
  assert.ok(worst < 0.7, `${worst} pixels away`); // steps of less than 0.6 pixels are drawn with the next one
});

test("nothing is drawn across a gap", () => {
  const frame = createFrame([0, 100, 0, 100], { left: 0, right: 100, top: 0, bottom: 100 });
  const path = { x: Float64Array.of(10, 20, NaN, 60, 70), y: new Float64Array(5).fill(50) };
  const { pieces, count } = merged(trailPieces(path, frame, 0, 4));
  const ends = Array.from({ length: count }, (_, k) => [pieces[5 * k], pieces[5 * k + 2]]);
  assert.deepEqual(ends, [
    [10, 20],
    [60, 70],
  ]);
});

test("a trail that leaves the picture and comes back does not go straight on across it", () => {
  const frame = createFrame([0, 100, 0, 100], { left: 0, right: 100, top: 0, bottom: 100 });
  const path = { x: Float64Array.of(80, 95, 160, 170, 95, 80), y: Float64Array.of(50, 50, 50, 90, 90, 90) };
  const { pieces, count } = merged(trailPieces(path, frame, 0, 5));
  const ends = Array.from({ length: count }, (_, k) => [...pieces.subarray(5 * k, 5 * k + 4)]);
  assert.deepEqual(ends, [
    [80, 50, 112, 50],
    [112, 10, 80, 10],
  ]);
});

test("on the surface, steps too small to be seen get no points, and the trail still comes to its end", () => {
  const field = createField(createSurface("rosenbrock"));
  const x = Float64Array.from({ length: 5001 }, (_, k) => -1 + 2e-6 * k); // a share of 4.5e-7 of the side
  const { points, reached } = drape({ x, y: new Float64Array(5001).fill(1) }, field);
  assert.ok(points.length / 4 < 30, `${points.length / 4} points`);
  assert.equal(reached[5000], points.length / 4);
  const end = field.place(x[5000], 1);
  assert.ok(Math.abs(points.at(-4) - end[0]) < 1.1e-4, `${points.at(-4)} is not ${end[0]}`);
});

test("the coarse mesh covers all of the surface, with a quarter of the triangles", () => {
  const place = (k) => [k % SIDE, Math.floor(k / SIDE)];
  for (const every of [1, 2]) {
    const found = triangles(SIDE, every);
    assert.equal(found.length / 3, 2 * ((SIDE - 1) / every) ** 2);
    let covered = 0;
    for (let n = 0; n < found.length; n += 3) {
      const [a, b, c] = [...found.subarray(n, n + 3)].map(place);
      covered += Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2;
      assert.ok(Math.max(a[0], b[0], c[0]) - Math.min(a[0], b[0], c[0]) === every);
    }
    assert.equal(covered, (SIDE - 1) ** 2);
  }
});
