import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { transforms } from "../src/generated/library.js";
import { lessons } from "../src/state/lessons.js";
import { normalize } from "../src/state/state.js";
import { encode } from "../src/state/url.js";
import { pageModel } from "../src/ui/address.js";
import { PARTS, first, placed } from "../src/ui/transformfields.js";

let entries;
let onhash;

/** A browser's address and history, as far as the page uses them. */
beforeEach(() => {
  entries = [""];
  globalThis.location = {
    get hash() {
      return entries.at(-1);
    },
  };
  globalThis.history = {
    pushState: (_, __, hash) => entries.push(hash),
    replaceState: (_, __, hash) => entries.splice(-1, 1, hash),
  };
  globalThis.window = { addEventListener: (_, fn) => (onhash = fn) };
});

const save = (model, state) => {
  model.set("state", state);
  model.save_changes();
};

test("a link wins over what the page came with", () => {
  assert.deepEqual(pageModel({ state: { lesson: "ravine" } }).get("state"), { lesson: "ravine" });
  entries = ["#surface=beale&start=1,2"];
  const state = pageModel({ state: { lesson: "ravine" } }).get("state");
  assert.equal(state.surface.id, "beale");
  assert.deepEqual(state.start, [1, 2]);
});

test("a drag replaces the address, another lesson or surface is a step back", () => {
  const model = pageModel({});
  const first = normalize(lessons[0].state);
  save(model, first);
  for (const x of [1, 2, 3]) save(model, { ...first, start: [x, 0] });
  assert.equal(entries.length, 1);
  assert.match(entries[0], /start=3,0/);
  save(model, normalize({ lesson: lessons[1].id }));
  assert.equal(entries.length, 2);
  save(model, normalize({ surface: { id: "beale" } }));
  assert.equal(entries.length, 3);
});

test("what the page wrote itself is no news, what a person pastes is", () => {
  const model = pageModel({});
  let heard = 0;
  model.on("change:state", () => (heard += 1));
  save(model, normalize(lessons[0].state));
  onhash();
  assert.equal(heard, 0);
  entries.push(`#${encode(normalize({ surface: { id: "himmelblau" } }))}`);
  onhash();
  assert.equal(heard, 1);
  assert.equal(model.get("state").surface.id, "himmelblau");
});

test("every transform of the library can be switched on", () => {
  const names = PARTS.map(([name]) => name);
  assert.deepEqual([...names].sort(), Object.keys(transforms).sort());
  for (const name of names) {
    const racer = { optimizer: "SGD", options: { lr: 0.1 }, transforms: [first(name)] };
    assert.deepEqual(normalize({ racers: [racer] }).racers[0].transforms, [first(name)]);
  }
});

test("a transform is placed where it acts, whatever was switched on before", () => {
  const names = ["trust_ratio", "clip_norm", "l1_prox", "guard", "coupled_decay"];
  const all = names.reduce((parts, name) => placed(parts, { name }), []);
  assert.deepEqual(
    all.map(({ name }) => name),
    ["guard", "clip_norm", "coupled_decay", "trust_ratio", "l1_prox"],
  );
});
