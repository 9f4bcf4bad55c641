// The computing of a phase map, as its view meets it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { normalize } from "../src/state/state.js";
import { createSurface } from "../src/surfaces/index.js";
import { PhaseJob } from "../src/views/phase-job.js";

test("a map that grows is shown early and whole, and not in every slice of its computing", async () => {
  const state = normalize({ racers: [{ optimizer: "Momentum", options: { lr: 0.01 } }], steps: 3000 });
  const shown = [];
  const invalidate = () => shown.push(job.done);
  const app = { state, selected: 0, surface: createSurface("valley"), invalidate };
  const job = new PhaseJob(app);
  job.lr = [1e-4, 1];
  const begun = performance.now();
  await job.compute();
  const took = performance.now() - begun;
  assert.ok(shown.length >= 2 && shown[0] < 0.5, `${shown}`);
  assert.equal(shown.at(-1), 1);
  assert.ok(job.fresh && !job.map.values.some(Number.isNaN));
  assert.ok(shown.length <= took / 100 + 2, `${shown.length} pictures in ${took} ms`);
});
