import assert from "node:assert/strict";
import { test } from "node:test";
import { filled } from "../src/engine/check.js";
import { exampleSteps, schedules } from "../src/generated/library.js";
import { History } from "../src/ui/history.js";
import { editable, parse, scale, short, whole } from "../src/ui/numbers.js";
import { firstOptions, optionLabel, rangeOf, withOption } from "../src/ui/options.js";
import { lossTexts, mishap, standings } from "../src/ui/standing.js";
import { destination } from "../src/ui/tabs.js";

test("numbers are written as a person would", () => {
  const written = [0, 0.1, 1 / 3, 123.456, 12345, 0.00012, -0.5, Infinity, NaN].map((value) => short(value));
  assert.deepEqual(written, ["0", "0.1", "0.333", "123", "1.23e4", "1.2e−4", "−0.5", "∞", "NaN"]);
  assert.equal(whole(4000.4), "4,000");
});

test("a number in a field reads back as itself", () => {
  for (const value of [0, 1, 0.1, 1e-8, 3.16e-4, 0.999, -2.5, 5e6, 1e-3, Infinity]) {
    assert.equal(parse(editable(value)), value);
  }
});

test("what a person types is read, and nonsense is not", () => {
  assert.deepEqual(["1e-3", " 0,5", "−2", ".5", "+3", "inf"].map((text) => parse(text)), [1e-3, 0.5, -2, 0.5, 3, Infinity]);
  assert.deepEqual(["", "abc", "1e", "1 2", "0x10", "--1", "1+1"].map((text) => parse(text)), Array(7).fill(null));
  assert.deepEqual(["1,000", "10,000", "2.5", "7", "1,00"].map((text) => parse(text, true)), [1000, 10000, 2.5, 7, 1]);
  assert.equal(parse("1,125"), 1.125, "a decimal comma");
});

test("sliders go from end to end and back to the same place", () => {
  const scales = [
    ["linear", -2, 2],
    ["log", 1e-5, 10],
    ["zero", 1e-5, 10],
    ["decay", 0, 0.9999],
  ];
  for (const [kind, min, max] of scales) {
    const made = scale(kind, min, max);
    assert.equal(made.value(0), kind === "zero" ? 0 : min, `${kind} begins`);
    assert.equal(made.value(1), max, `${kind} ends`);
    for (const share of [0.1, 0.35, 0.5, 0.8])
      assert.ok(Math.abs(made.at(made.value(share)) - share) < 0.03, kind);
    for (const outside of [-1e9, 1e9]) assert.ok([0, 1].includes(made.at(outside)), `${kind} clamps`);
  }
});

test("the rate, momentum, decay and epsilon get the scales that suit them", () => {
  const kinds = [
    { name: "lr", default: 1e-3, interval: "[0, inf)" },
    { name: "momentum", default: 0.9, interval: "[0, 1)" },
    { name: "weight_decay", default: 0, interval: "[0, inf)" },
    { name: "trust_coefficient", default: 1e-3, interval: "(0, inf)" },
    { name: "low", default: 0.25, interval: "[0, 1]" },
  ].map((option) => rangeOf(option).kind);
  assert.deepEqual(kinds, ["log", "decay", "zero", "log", "linear"]);
});

test("what may be typed follows the interval, part by part", () => {
  const etas = { name: "etas", default: [0.5, 1.2], kind: "pair", interval: "(0, 1) x (1, inf)" };
  assert.deepEqual([rangeOf(etas, 0).interval, rangeOf(etas, 1).interval], ["(0, 1)", "(1, inf)"]);
  const end = rangeOf({ name: "end", default: null, interval: "[0, inf) or None" });
  assert.deepEqual([end.optional, end.interval], [true, "[0, inf)"]);
  const limit = { name: "limit", default: null, required: true, interval: "(0, inf)" };
  assert.equal(rangeOf(limit).optional, false);
});

test("defaults are not written into the state, the rate always is", () => {
  const specs = [
    { name: "lr", default: 0.1 },
    { name: "betas", default: [0.9, 0.999] },
    { name: "eps", default: 1e-8 },
  ];
  assert.deepEqual(withOption(specs, { lr: 1 }, "lr", 0.1), { lr: 0.1 });
  assert.deepEqual(withOption(specs, { lr: 1, betas: [0.5, 0.9] }, "betas", [0.9, 0.999]), { lr: 1 });
  assert.deepEqual(withOption(specs, { lr: 1 }, "eps", 1), { lr: 1, eps: 1 });
});

test("a schedule begins with options that fit into the race", () => {
  for (const steps of [1, 2, 7, 50, 10_000]) {
    for (const [name, schedule] of Object.entries(schedules)) {
      const options = firstOptions(schedule, steps);
      const made = schedule.make(filled(name, schedule.arguments, options));
      assert.ok(Number.isFinite(made.at(steps - 1)), `${name}, ${steps} steps`);
    }
  }
  const { warmup, stable, decay } = firstOptions(schedules.wsd, 1000);
  assert.deepEqual([warmup, stable, decay], [100, 600, 300]);
  assert.deepEqual(firstOptions(schedules.multistep, 400), { milestones: [100, 200, 300] });
  const { gamma } = firstOptions(schedules.exponential, 1000);
  const example = schedules.exponential.example.gamma;
  assert.ok(Math.abs(gamma ** 1000 - example ** exampleSteps) < 1e-12, "it falls as far in any race");
});

test("options are called what a person reads", () => {
  assert.equal(optionLabel("hypergrad_lr"), "Rate of the rate");
  assert.equal(optionLabel("momentum_decay"), "Momentum decay");
});

test("who ended is last, hidden racers have no rank, and the rank is that at the playhead", () => {
  const path = (loss, ended = null) => ({ loss: Float64Array.from(loss), steps: loss.length - 1, ended });
  const paths = [
    path([9, 5, 3]),
    path([9, 4, 8]),
    path([9, 1], { step: 1, why: "diverged" }),
    path([9, 0, 0]),
  ];
  const hidden = [false, false, false, true];
  const ranks = (step) => standings(paths, hidden, step).map(({ rank }) => rank);
  assert.deepEqual(ranks(0.9), [2, 1, 3, null]);
  assert.deepEqual(ranks(2), [1, 2, 3, null]);
  assert.equal(standings(paths, hidden, 2)[2].out, true);
});

test("losses have as few digits as tell ranks apart, and those that agree in five are level", () => {
  const at = (...losses) => {
    const paths = losses.map((loss) => ({ loss: Float64Array.of(loss), steps: 0, ended: null }));
    const all = standings(paths, losses.map(() => false), 0);
    return all.map(({ rank }, i) => `${rank}: ${lossTexts(all)[i]}`);
  };
  assert.deepEqual(at(0.27512, 0.27478, 3.14159), ["2: 0.2751", "1: 0.2748", "3: 3.14"]);
  assert.deepEqual(at(-0.5, -0.4999999, -0.49987), ["1: −0.5", "1: −0.5", "3: −0.4999"]);
  assert.deepEqual(at(1.941e-5, 1.938e-5, 2.1e-9), ["3: 1.94e−5", "2: 1.94e−5", "1: 2.1e−9"]);
});

test("a mishap is said with its step, and what cannot run says why", () => {
  const ended = (why, step) => mishap({ evaluations: step + 1, ended: { step, why } }, null).text;
  assert.match(ended("diverged", 12), /Diverged at step 12/);
  assert.match(ended("not finite", 3), /not a number from step 3/);
  assert.match(ended("outside", 4), /Left what was measured at step 4/);
  assert.match(ended("diverged", 0), /Diverged at step 1\./, "the first step is not the start");
  for (const why of ["diverged", "not finite", "outside"]) {
    const found = mishap({ evaluations: 0, ended: { step: 0, why } }, null);
    assert.equal(found.why, "start");
    assert.match(found.text, /start/);
  }
  assert.equal(mishap({ evaluations: 5, ended: null }, null), null);
  assert.equal(mishap({ evaluations: 0, ended: null }, "eps is a number above 0").text, "eps is a number above 0.");
});

const state = (x, playhead = null) => ({ start: [x, 0], playhead });

test("undo takes back a whole drag and leaves the playhead alone", () => {
  const history = new History(state(0));
  for (const [x, time] of [
    [1, 1000],
    [2, 1100],
    [3, 1200],
    [9, 5000],
  ])
    history.record(state(x), time);
  history.record(state(9, 17), 9000);
  assert.equal(history.undo().start[0], 3);
  assert.equal(history.undo().start[0], 0);
  assert.equal(history.undo(), null);
  assert.equal(history.redo().start[0], 3);
  history.record(state(5), 10_000);
  assert.equal(history.redo(), null, "a new deed ends what could be redone");
});

test("arrow keys go round a row of tabs", () => {
  assert.deepEqual(
    ["ArrowRight", "ArrowLeft", "Home", "End", "x"].map((key) => destination(key, 0, 3)),
    [1, 2, 0, 2, null],
  );
  assert.equal(destination("ArrowRight", 2, 3), 0);
});

test("undo goes back two hundred deeds, and no memory is kept of more", () => {
  const history = new History({ steps: 0 });
  for (let steps = 1; steps <= 300; steps++) history.record({ steps }, 1000 * steps);
  let back = 0;
  while (history.undo()) back++;
  assert.equal(back, 200);
  assert.equal(history.now.steps, 100);
});
