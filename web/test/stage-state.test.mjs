// What of a stage is seen travels with the link.
import assert from "node:assert/strict";
import { test } from "node:test";
import { normalize } from "../src/state/state.js";
import { decode, encode } from "../src/state/url.js";

test("a part of the plane and a pose of the camera come back from a link", () => {
  const view = { stage: "surface", box: [-1.5, 2, 0.25, 1e3], camera: [-30, 45.5, 1.2] };
  const state = normalize({ view });
  const back = decode(encode(state));
  assert.deepEqual(back, state);
  assert.deepEqual(back.view.box, view.box);
  assert.deepEqual(back.view.camera, view.camera);
  assert.ok(!("box" in normalize({}).view), "who has not zoomed has no box");
});

test("a box or a camera without sense is left out", () => {
  for (const box of [
    [1, 0, 0, 1],
    [0, 1, 0],
    [0, 1, 0, 1, 2],
    [0, NaN, 0, 1],
    [0, Infinity, 0, 1],
    "0,1,0,1",
    [0, "1", 0, 1],
  ]) {
    assert.ok(!("box" in normalize({ view: { box } }).view), String(box));
  }
  for (const camera of [[0, 100, 1], [0, 40, 0], [0, 40], ["a", 40, 1], null]) {
    assert.ok(!("camera" in normalize({ view: { camera } }).view), String(camera));
  }
  assert.ok(!("box" in decode("#box=3,2,1,0").view));
  assert.ok(!("box" in decode("#box=x").view));
});
