import assert from "node:assert/strict";
import test from "node:test";

import { inWords, UserError, within } from "../src/engine/check.js";
import { compose } from "../src/engine/program.js";
import { schedule, scheduleOf } from "../src/engine/schedule.js";
import { optimizers, transforms } from "../src/generated/library.js";

const ravine = (p, g) => {
  g[0] = 2 * p[0];
  g[1] = 100 * p[1];
};
const clip = { name: "clip_norm", options: { max_norm: 1 } };

/** The error of something that must fail. */
function refusal(attempt) {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error.stack));
    return error;
  }
  return assert.fail("nothing was refused");
}

test("three steps of Adam on x² from 1 move by almost exactly the learning rate", () => {
  const run = compose("Adam").begin([1]);
  const seen = [0, 1, 2].map(() => {
    assert.equal(run.step((p, g) => (g[0] = 2 * p[0]), 0.01), "ok");
    return run.p[0].toFixed(4);
  });
  assert.deepEqual(seen, ["0.9900", "0.9800", "0.9700"]);
  assert.equal(run.t, 3);
});

test("a gradient of norm 13 is clipped to 5 before the step", () => {
  const run = compose("SGD", {}, [{ name: "clip_norm", options: { max_norm: 5 } }]).begin([0, 0, 0]);
  run.step((_, g) => g.set([3, 4, 12]), 1);
  assert.deepEqual(Array.from(run.p, (x) => x.toFixed(4)), ["-1.1538", "-1.5385", "-4.6154"]);
  assert.deepEqual(Array.from(run.gradient), [3, 4, 12]);
});

test("Nesterov takes its gradient ahead of the parameters", () => {
  const run = compose("Nesterov", { momentum: 0.5 }).begin([1, 1]);
  const seen = [];
  const gradient = (p, g) => (seen.push(p[0]), ravine(p, g));
  run.step(gradient, 0.1);
  const [velocity] = run.env.velocity;
  const [before] = run.p;
  run.step(gradient, 0.1);
  assert.deepEqual(seen, [1, before + 0.5 * velocity]);
});

test("the start is copied, and two runs of one program do not meet", () => {
  const start = Float64Array.of(1, 2);
  const program = compose("Adam");
  const [one, other] = [program.begin(start), program.begin(start)];
  one.step(ravine, 0.1);
  assert.deepEqual(Array.from(start), [1, 2]);
  assert.deepEqual(Array.from(other.p), [1, 2]);
  assert.deepEqual(Array.from(other.env.exp_avg), [0, 0]);
});

test("a step that a guard skips changes nothing and is not counted", () => {
  const run = compose("Adam", {}, [{ name: "guard", options: { policy: "skip" } }]).begin([1, 2]);
  run.step(ravine, 0.1);
  const before = JSON.stringify([run.p, run.env, run.t]);
  assert.equal(run.step((_, g) => g.set([NaN, 1]), 0.1), "skipped");
  assert.equal(JSON.stringify([run.p, run.env, run.t]), before);
});

test("a gradient that is not finite ends a run, and says why where a transform looks", () => {
  const bad = (_, g) => g.set([NaN, 1]);
  assert.equal(compose("SGD").begin([1, 2]).step(bad, 0.1), "not finite");
  const run = compose("SGD", {}, [clip]).begin([1, 2]);
  assert.equal(run.step(bad, 0.1), "not finite");
  assert.match(run.message, /the gradient of p is infinite or NaN; lower the learning rate/);
  assert.deepEqual(Array.from(run.p), [1, 2]);
});

test("the states that start at the learning rate take that of the first step", () => {
  const run = compose("Rprop", { lr: 0.5 }).begin([1, 2]);
  assert.deepEqual(Array.from(run.env.step_size), [0.5, 0.5]);
  run.step(ravine, 0.25);
  assert.deepEqual(Array.from(run.env.step_size), [0.25, 0.25]);
});

for (const name of Object.keys(optimizers)) {
  test(`${name}: what is explained is what the next step does, and the run stays as it is`, () => {
    const run = compose(name, {}, [clip]).begin([1, 2]);
    for (let i = 0; i < 3; i++) run.step(ravine, 0.01);
    const before = JSON.stringify([run.p, run.env, run.t, run.gradient]);
    const told = run.explain(ravine, 0.01);
    assert.equal(JSON.stringify([run.p, run.env, run.t, run.gradient]), before);
    run.step(ravine, 0.01);
    assert.deepEqual(told.after, { p: [...run.p], ...mapped(run.env) });
    assert.deepEqual(told.gradient, [...run.gradient]);
    told.stages.forEach(checkLines);
  });
}

const mapped = (env) => Object.fromEntries(Object.entries(env).map(([key, array]) => [key, [...array]]));

/** The line that gives a stage's result gives its output; what its tokens show are the numbers it had. */
function checkLines(stage) {
  const results = stage.lines.filter(({ name }) => ["p", "g", "step"].includes(name));
  const last = results.at(-1);
  const near = last.values.every((x, i) => Math.abs(x - stage.output[i]) <= 1e-12 * Math.abs(x));
  assert.ok(near, `${stage.rule}: ${last.values} is not ${stage.output}`);
  for (const token of stage.lines.flatMap((line) => line.tokens)) {
    assert.equal(typeof token.text, "string");
    if (token.values) assert.equal(token.values.length, 2);
  }
}

test("an explanation names the numbers that a line had, before it assigns", () => {
  const run = compose("Momentum", { momentum: 0.5 }).begin([1, 2]);
  run.step(ravine, 0.01);
  const { stages, before, after } = run.explain(ravine, 0.01);
  const line = stages.find(({ on }) => on === "rule").lines[0];
  assert.equal(line.name, "v");
  assert.equal(line.tokens.map(({ text }) => text).join(""), "momentum * v + g");
  assert.deepEqual(line.tokens.find(({ text }) => text === "v").values, before.velocity);
  assert.equal(line.tokens.find(({ text }) => text === "momentum").value, 0.5);
  assert.deepEqual(line.values, after.velocity);
});

test("an explanation of a step that is skipped or fails says so", () => {
  const bad = (_, g) => g.set([Infinity, 1]);
  const skipping = compose("SGD", {}, [{ name: "guard", options: { policy: "skip" } }]).begin([1, 2]);
  assert.equal(skipping.explain(bad, 0.1).outcome, "skipped");
  const failing = compose("SGD", {}, [clip]).begin([1, 2]).explain(bad, 0.1);
  assert.equal(failing.outcome, "not finite");
  assert.match(failing.message, /infinite or NaN/);
  assert.deepEqual(failing.after, failing.before);
});

test("nonsense is refused in a sentence, with the option it is about", () => {
  const cases = [
    [() => compose("Adm"), /no optimizer called Adm; did you mean Adam\?/, null],
    [() => compose("Adam", { beta: 1 }), /Adam has no option beta; did you mean betas\?/, "beta"],
    [() => compose("Adam", { betas: [0.9, 1] }), /second of betas is a number from 0 to below 1/, "betas"],
    [() => compose("Adam", { betas: 0.9 }), /betas is a pair of numbers, not 0.9/, "betas"],
    [() => compose("SGD", { lr: -1 }), /lr is a number of 0 or more, not -1/, "lr"],
    [() => compose("SGD", { lr: NaN }), /lr is a number of 0 or more$/, "lr"],
    [() => compose("SGD", { lr: "0.1" }), /lr is a number of 0 or more/, "lr"],
    [() => compose("SGD", { nesterov: true }), /nesterov needs momentum > 0 and dampening 0, got/, null],
    [() => compose("SGD", { nesterov: 1 }), /nesterov is either on or off/, "nesterov"],
    [() => compose("Momentum", { convention: "su" }), /one of sum, average, velocity, not/, "convention"],
    [() => compose("LAMB", { bounds: [3, 1] }), /bounds is \(smallest, largest\), got \(3, 1\)/, null],
    [() => compose("Adam", {}, [{ name: "clip" }]), /no transform called clip; /, null],
    [() => compose("Adam", {}, [{ name: "clip_norm" }]), /clip_norm needs max_norm/, "max_norm"],
    [() => compose("Adam", {}, [{ name: "clip_norm", options: { max_norm: 0 } }]), /above 0/, "max_norm"],
    [() => compose("Rprop", {}, [{ name: "trust_ratio" }]), /Rprop moves .*, so trust_ratio, which/, null],
    [() => schedule(0, { name: "cosin", options: {} }), /did you mean cosine\?/, null],
    [() => schedule(0, { name: "cosine", options: { steps: 2.5 } }), /whole number of 1 or more/, "steps"],
    [() => schedule(3, { name: "step", options: {} }), /step needs size/, "size"],
    [() => schedule(0, { name: "multistep", options: { milestones: [1, 2.5] } }), /whole numbers/, "milestones"],
    [() => schedule(0, { name: "multistep", options: { milestones: "12" } }), /whole numbers/, "milestones"],
    [() => schedule(0, { name: "multistep", options: { milestones: [3, 2] } }), /milestones/, null],
    [() => schedule(0, { name: "inverse_sqrt", options: { after: "repeat" } }), /after/, null],
  ];
  for (const [attempt, sentence, option] of cases) {
    const error = refusal(attempt);
    assert.match(error.message, sentence);
    assert.equal(error.option, option, error.message);
  }
});

test("a name with up to two letters missing, too many or wrong is recognized", () => {
  for (const name of ["Adgrd", "Adaxgraxd", "Abagrxd", "mdagrad", "adagrad"]) {
    assert.match(refusal(() => compose(name)).message, /did you mean Adagrad\?$/, name);
  }
  assert.match(refusal(() => compose("sxyz")).message, /; there are .*SGD/);
  assert.match(refusal(() => compose("SGD", { momentum: null })).message, /momentum is a number [^,]*$/);
});

test("intervals in words and in numbers", () => {
  const words = {
    "[0, inf)": "of 0 or more",
    "(1, inf)": "above 1",
    "[0, 1)": "from 0 to below 1",
    "[0, 1]": "from 0 to 1",
    "(0, 1]": "above 0 and at most 1",
    "(0, 1)": "between 0 and 1, both excluded",
    "(-inf, 0]": "of 0 or less",
    "(-inf, inf)": "of any size",
  };
  for (const [interval, said] of Object.entries(words)) assert.equal(inWords(interval), said);
  assert.ok(within(0, "[0, 1)") && !within(1, "[0, 1)") && !within(0, "(0, inf)") && within(1e9, "(0, inf)"));
  assert.ok(!within(NaN, "[0, inf)") && !within(NaN, "(-inf, inf)"));
});

test("a warm-up comes before the shape; without either the factor is 1", () => {
  const factor = schedule(10, { name: "cosine", options: { steps: 90 } });
  assert.deepEqual([0, 5, 10, 55, 100, 500].map(factor), [0, 0.5, 1, 0.5, 0, 0]);
  assert.equal(schedule(0, null)(17), 1);
  assert.equal(schedule(4, null)(2), 0.5);
  assert.deepEqual([0, 1, 2].map(schedule(1, null)), [0, 1, 1]);
  assert.equal(scheduleOf(0, null), null);
  const made = scheduleOf(10, { name: "cosine", options: { steps: 90 } });
  assert.equal(made.__repr__(), "warmup(10) >> cosine(90)");
});

test("every transform of the library is made from its example", () => {
  for (const { name, example, on } of Object.values(transforms)) {
    const run = compose("SGD", {}, [{ name, options: example }]).begin([1, 2]);
    assert.equal(run.step(ravine, 0.001), "ok");
    assert.ok(["grad", "step", "param"].includes(on));
    // A run writes its states as it goes: one that stood before a guard would move in a step that is skipped.
    assert.deepEqual(Object.keys(run.env), []);
  }
});

test("the time of ten racers over 1,000 steps is printed", (t) => {
  const names = "SGD Momentum Nesterov Adagrad RMSprop Adam AdamW NAdam RAdam Adamax".split(" ");
  const times = Array.from({ length: 12 }, () => {
    const start = performance.now();
    for (const name of names) {
      const run = compose(name, {}, [clip]).begin([1, 2]);
      for (let i = 0; i < 1000; i++) run.step(ravine, 1e-3);
    }
    return performance.now() - start;
  });
  t.diagnostic(`first ${times[0].toFixed(1)} ms, then ${times.sort((a, b) => a - b)[6].toFixed(1)} ms`);
  assert.equal(times.length, 12);
});
