import assert from "node:assert/strict";
import { test } from "node:test";

import { readCall, readValue, writeValue } from "../src/state/calls.js";
import { labelOf, nameOf, newRacer, nextHue } from "../src/state/racers.js";
import { lessons } from "../src/state/lessons.js";
import { LIMITS, defaultState, normalize } from "../src/state/state.js";
import { decode, encode } from "../src/state/url.js";
import { createSurface, standIn, surfaces } from "../src/surfaces/index.js";
import { simulate } from "../src/race/simulate.js";
import { drawing, randomState } from "./random-states.mjs";

const STATES = 300;

test("a link gives back exactly the state it was made of", () => {
  for (let seed = 0; seed < STATES; seed++) {
    const state = randomState(seed);
    assert.deepEqual(state.notes, [], `state ${seed}`);
    const hash = encode(state);
    assert.deepEqual(decode(hash), state, hash);
    assert.equal(encode(decode(hash)), hash);
  }
});

test("a link survives what browsers and messengers do to it", () => {
  for (let seed = 0; seed < 100; seed++) {
    const state = randomState(seed);
    const hash = encode(state);
    const url = new URL("https://example.org/play");
    url.hash = hash;
    assert.equal(url.hash.slice(1), hash, "nothing is left for a browser to escape");
    assert.deepEqual(decode(url.hash), state);
    assert.deepEqual(decode(encodeURIComponent(decodeURIComponent(hash))), state, "everything escaped");
    assert.match(hash, /\d$/, "no closing parenthesis at the end");
  }
});

test("a link is short and can be read", () => {
  const state = normalize({
    surface: { id: "rosenbrock" },
    start: [-1.5, 2],
    steps: 200,
    racers: [
      {
        optimizer: "AdamW",
        options: { lr: 0.05 },
        transforms: [{ name: "clip_norm", options: { max_norm: 1 } }],
        warmup: 10,
        schedule: { name: "cosine", options: { steps: 190 } },
        noise: 0.1,
        seed: 3,
      },
    ],
  });
  const hash =
    "v=1&surface=rosenbrock&start=-1.5,2&racer=AdamW(lr=0.05);clip_norm(1);warmup(10);cosine(190);noise=0.1;seed=3&steps=200";
  assert.equal(encode(state), hash);
  const written =
    "v=1&surface=rosenbrock&start=-1.5,2&steps=200&racer=AdamW(lr=0.05);clip_norm(max_norm=1);warmup(10)>>cosine(190);noise=0.1;seed=3";
  assert.deepEqual(decode(written), state, "names and the arrow of thalweg.schedules.parse are read too");
});

test("an empty link is the default state, and that has no notes", () => {
  assert.deepEqual(decode(""), defaultState());
  assert.deepEqual(decode("#"), defaultState());
  assert.deepEqual(decode(null), defaultState());
  assert.deepEqual(defaultState().notes, []);
  assert.deepEqual(defaultState(), normalize(lessons[0].state));
  assert.ok(defaultState().racers.length >= 3);
  assert.deepEqual(decode("racer=none").racers, []);
});

const REPAIRED = [
  ["surface=nowhere", /no surface called nowhere/],
  ["surface=quadratic(condition=-5)", /condition is a number from 1 to 1000, not -5/],
  ["surface=quadratic(depth=3)", /no option depth/],
  ["surface=((", /cannot be read/],
  ["start=1", /start must be two numbers/],
  ["start=1,inf", /start must be two numbers/],
  ["start=1,1e300", /start must be two numbers/],
  ["steps=1e9", /steps 1000000000 was changed to 10000/],
  ["steps=many", /steps must be a number, not many/],
  ["racer=Adamw(lr=0.1)", /no optimizer called Adamw/],
  ["racer=AdamW(lr=-1)", /lr is a number of 0 or more, not -1/],
  ["racer=AdamW(lr=inf)", /lr is a number of 0 or more, not Infinity/],
  ["racer=AdamW(lr=0.1,betas=(0.9,1.5))", /betas/],
  ["racer=AdamW(lr=0.1,betas=0.9)", /betas/],
  ["racer=AdamW(lr=$)", /lr=\$ cannot be read/],
  ["racer=AdamW(lr=0.1);;", /cannot be read/],
  ["racer=AdamW(lr=0.1);clip_norm(0)", /max_norm/],
  ["racer=AdamW(lr=0.1);clip_norm", /clip_norm/],
  ["racer=AdamW(lr=0.1);cosine(-4)", /cosine/],
  ["racer=AdamW(lr=0.1);nonsense(4)", /nothing called nonsense/],
  ["racer=AdamW(lr=0.1);noise=-1", /noise -1 was changed to 0/],
  ["racer=SGD(lr=0.1,nesterov=true)", /momentum/],
  ["racer=;", /cannot be read|has no optimizer/],
  ["v=2&steps=5", /version 2/],
  ["colour=red", /says colour/],
  ["hello", /says hello/],
];

test("what a link has wrong is repaired, and said", () => {
  for (const [hash, note] of REPAIRED) {
    const state = decode(hash);
    assert.match(state.notes.join(" | "), note, hash);
    for (const sentence of state.notes) assert.match(sentence, /[.!?…]$/, `a sentence: ${sentence}`);
    assertWhole(state, hash);
  }
});

test("a racer of a link that cannot be read does not take the others with it", () => {
  const state = decode("racer=Nobody(lr=1)&racer=SGD(lr=0.25)&racer=AdamW(lr=0.5");
  assert.deepEqual(
    state.racers.map((racer) => racer.options.lr),
    [0.25, 0.5],
  );
  assert.equal(state.notes.length, 1);
});

test("a surface alone gets racers at rates that work there", () => {
  for (const id of ["quadratic", "rosenbrock", "linear", "beale"]) {
    const state = decode(`surface=${id}`);
    assert.deepEqual(state.notes, []);
    const surface = createSurface(id);
    assert.deepEqual(state.start, surface.start);
    for (const racer of state.racers) {
      const path = simulate(racer, surface, state.start, 200);
      assert.ok(!path.ended && path.loss[200] < path.loss[0], `${racer.optimizer} on ${id}`);
    }
  }
});

test("where a formula cannot be read, the race of what stands in for it is one", () => {
  const state = decode("formula=1/0");
  const { start, f } = standIn();
  assert.deepEqual(state.start, start);
  for (const racer of state.racers) {
    const path = simulate(racer, standIn(), start, 200);
    assert.ok(!path.ended && path.loss[200] < f(...start), racer.optimizer);
  }
});

test("limits hold", () => {
  const racers = Array.from({ length: 50 }, () => ({ optimizer: "SGD", options: { lr: 0.1 } }));
  const state = normalize({
    racers,
    steps: 1e12,
    surface: { id: "rosenbrock", formula: "x".repeat(10_000) },
  });
  assert.equal(state.racers.length, LIMITS.racers);
  assert.equal(state.steps, LIMITS.steps);
  assert.equal(state.surface.formula.length, LIMITS.formula);
  assert.equal(state.notes.length, 3);
  assert.deepEqual(decode(encode(state)), { ...state, notes: [] });
  const long = decode(`steps=7&${"racer=SGD(lr=0.1)&".repeat(1e5)}`);
  assert.equal(long.steps, 7);
  assert.match(long.notes.join(" "), /too long/);
});

test("no text makes decode throw, and every state it gives is whole", () => {
  const valid = Array.from({ length: 40 }, (_, seed) => encode(randomState(seed)));
  const draw = drawing(7);
  const bits = [
    "(",
    ")",
    "&",
    ";",
    ",",
    "=",
    "%",
    "%E0%A4%A",
    "~",
    "~110000~",
    ">>",
    "inf",
    "nan",
    "1e999",
    "-",
    "\u0000",
    "\ud800",
    "__proto__",
    "constructor",
    "toString",
    "racer=",
    "=",
    "#",
    "((((((((",
    "'",
    "<script>",
    "none",
    "9".repeat(400),
  ];
  for (let n = 0; n < 800; n++) {
    let text = draw.one(valid);
    for (let k = draw.whole(1, 5); k > 0; k--) {
      const at = draw.below(text.length + 1);
      text = text.slice(0, at) + draw.one(bits) + text.slice(at + draw.whole(0, 6));
    }
    assertWhole(decode(text), text);
  }
});

test("nothing makes normalize throw", () => {
  const odd = [
    null,
    undefined,
    0,
    NaN,
    Infinity,
    "x",
    "",
    true,
    [],
    {},
    [null],
    { a: 1 },
    () => 1,
    Symbol("s"),
    1n,
    Object.create(null),
    new Date(NaN),
  ];
  const keys = [
    "surface",
    "start",
    "steps",
    "racers",
    "view",
    "playhead",
    "speed",
    "lesson",
    "theme",
    "notes",
  ];
  for (const value of odd) {
    assertWhole(normalize(value), "a state");
    for (const key of keys) assertWhole(normalize({ [key]: value }), key);
    for (const key of ["stage", "chart", "log", "box", "camera"])
      assertWhole(normalize({ view: { [key]: value } }), key);
    assertWhole(normalize({ view: { box: [value, 1, value, 1], camera: ["1", "2", "3"] } }), "box");
    for (const key of ["id", "parameters", "formula"])
      assertWhole(normalize({ surface: { [key]: value } }), key);
    for (const key of [
      "options",
      "transforms",
      "warmup",
      "schedule",
      "noise",
      "seed",
      "batch",
      "hidden",
      "hue",
      "label",
    ]) {
      assertWhole(normalize({ racers: [value, { optimizer: "AdamW", [key]: value }] }), key);
    }
    assertWhole(
      normalize({
        racers: [{ optimizer: value }, { optimizer: "SGD", options: { lr: value, momentum: value } }],
      }),
      "options",
    );
  }
});

/** A state that any part of the page can work with, and that a link can carry. */
function assertWhole(state, from) {
  assert.ok(
    surfaces.some(({ id }) => id === state.surface.id),
    from,
  );
  assert.ok(state.start.length === 2 && state.start.every(Number.isFinite), from);
  assert.ok(Number.isInteger(state.steps) && state.steps >= 1 && state.steps <= LIMITS.steps, from);
  assert.ok(state.racers.length <= LIMITS.racers, from);
  for (const racer of state.racers) {
    assert.ok(Number.isFinite(racer.options.lr) && racer.options.lr >= 0, from);
    assert.ok(Number.isInteger(racer.hue) && racer.hue >= 0 && racer.hue < 10, from);
    simulate(racer, createSurface("quadratic"), [1, 1], 1);
  }
  const { notes, ...rest } = state;
  assert.ok(
    notes.every((note) => typeof note === "string" && note.length < 300),
    from,
  );
  assert.deepEqual(decode(encode(state)), { ...rest, notes: [] }, from);
  assert.deepEqual(normalize(rest), { ...rest, notes: [] }, from);
}

test("values are written so that they read back", () => {
  for (const value of [
    0.1,
    -1e-300,
    1e21,
    5e-324,
    123456789,
    Infinity,
    -Infinity,
    true,
    false,
    null,
    "hold",
    [0.9, 0.999],
    [1, [2, 3]],
  ]) {
    assert.deepEqual(readValue(writeValue(value)), value);
    assert.ok(!writeValue(value).includes("+"), "which some programs read as a space");
  }
  for (const text of ["", "1..2", "$", "(1", "a b", "()x", "((((1))))"])
    assert.equal(readValue(text), undefined, text);
  assert.equal(readCall("1abc(2)"), null);
});

test("a new racer has the first free hue and a rate that works", () => {
  for (const { id } of surfaces.filter((one) => !["formula", "slice"].includes(one.id))) {
    const surface = createSurface(id);
    for (const optimizer of ["SGD", "RMSprop", "AdamW", "Adagrad"]) {
      const racer = newRacer(optimizer, defaultState().racers, surface, surface.start, 200);
      assert.equal(racer.hue, 5);
      const path = simulate(racer, surface, surface.start, 200);
      assert.ok(!path.ended && path.loss[200] <= path.loss[0], `${optimizer} on ${id}`);
    }
  }
});

test("names are as short as they can be, and tell racers apart", () => {
  const sgd = (options, rest = {}) => ({ optimizer: "SGD", options: { lr: 0.1, ...options }, ...rest });
  const names = (racers) => {
    const state = normalize({ racers });
    return state.racers.map((_, i) => nameOf(state, i));
  };
  assert.deepEqual(names([sgd({}), { optimizer: "Adam" }]), ["SGD", "Adam"]);
  assert.deepEqual(names([sgd({}), sgd({ lr: 0.2 })]), ["SGD 0.1", "SGD 0.2"]);
  assert.deepEqual(names([sgd({ momentum: 0.9 }), sgd({ momentum: 0.9 }, { warmup: 5 })]), [
    "SGD",
    "SGD warm-up 5",
  ]);
  assert.deepEqual(names([sgd({}), sgd({ momentum: 0.9 }), sgd({}, { label: "mine" })]), [
    "SGD",
    "SGD momentum 0.9",
    "mine",
  ]);
});

test("the next hue is the first that is free, and after ten they go round", () => {
  const racers = (hues) => hues.map((hue) => ({ hue }));
  assert.equal(nextHue(racers([])), 0);
  assert.equal(nextHue(racers([0, 1, 3])), 2);
  assert.equal(nextHue(racers([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])), 2);
});

test("labels say what differs from the usual", () => {
  const label = (racer) => labelOf(normalize({ racers: [racer] }).racers[0]);
  assert.equal(
    label({
      optimizer: "AdamW",
      options: { lr: 0.05 },
      transforms: [{ name: "clip_norm", options: { max_norm: 1 } }],
    }),
    "AdamW 0.05, clip 1",
  );
  assert.equal(
    label({ optimizer: "SGD", options: { lr: 0.1, momentum: 0.9, nesterov: true } }),
    "SGD 0.1, momentum 0.9, nesterov",
  );
  assert.equal(
    label({ optimizer: "Adam", options: { lr: 1e-3, betas: [0.8, 0.99], weight_decay: 0.1 } }),
    "Adam 0.001, betas 0.8/0.99, decay 0.1",
  );
  assert.equal(
    label({
      optimizer: "SGD",
      options: { lr: 0.1 },
      warmup: 5,
      schedule: { name: "cosine_restarts", options: { period: 9 } },
      noise: 0.5,
      batch: 4,
    }),
    "SGD 0.1, warm-up 5, cosine restarts, noise 0.5, batch 4",
  );
  assert.equal(label({ optimizer: "SGD", label: " Mine " }), "Mine");
});

test("a number that should be whole is rounded, and said to be", () => {
  const { steps, notes } = normalize({ steps: 10.6 });
  assert.equal(steps, 11);
  assert.match(notes.join(), /10\.6 was changed to 11/);
  assert.match(normalize({ steps: [1, 2] }).notes.join(), /must be a number, not \(1,2\)/);
});
