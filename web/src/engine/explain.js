/** The step inspector's data: what the next step of a run does, stage by stage, with the numbers put in. */

import { FloatingPointError } from "./check.js";
import { ArithmeticError } from "./python.js";

/**
 * @typedef {{text: string, value?: number, values?: number[]}} Token a piece of a formula; a name has a
 *   value, one for all coordinates or one for each
 * @typedef {{name: string, tokens: Token[], values: number[]}} Line an assignment of the rule
 * @typedef {{title: string, doc: string, rule: string, on: string, scalars: Object<string, number>,
 *   sums: Object<string, number>, input: number[], output: number[], idle: boolean, lines: Line[]}} Stage
 */

/**
 * What the next step of a run will do; the run stays as it is.
 * @param {import("./program.js").Run} run
 * @param {(p: Float64Array, out: Float64Array) => void} gradient
 * @param {number} lr
 * @returns {{stages: Stage[], before: object, after: object, gradient: number[], point: number[],
 *   outcome: string, message: string}} `before` and `after` hold p and the states by key; `point` is where
 *   the gradient was taken
 */
export function explain(run, gradient, lr) {
  const twin = copy(run);
  const stages = [];
  let outcome = "ok";
  try {
    twin.prepare(gradient, lr);
    const before = snapshot(twin);
    outcome = taken(twin, stages);
    return { stages, before, after: snapshot(twin), ...ends(twin, outcome, "") };
  } catch (error) {
    if (!(error instanceof ArithmeticError || error instanceof FloatingPointError)) throw error;
    const still = snapshot(run);
    return { stages, before: still, after: still, ...ends(twin, "not finite", error.message) };
  }
}

function taken(twin, stages) {
  for (const stage of twin.stages) {
    const was = { arrays: stage.arrays.map((a) => Array.from(a)), input: Array.from(stage.out) };
    if (twin.take(stage)) return "skipped";
    stages.push(told(stage, was));
  }
  twin.finish();
  return twin.p.every(Number.isFinite) ? "ok" : "not finite";
}

function ends(twin, outcome, message) {
  const point = twin.ahead ?? twin.p;
  return { gradient: Array.from(twin.gradient), point: Array.from(point), outcome, message };
}

function copy(run) {
  const twin = run.program.begin(run.p);
  twin.t = run.t;
  twin.begun = run.begun;
  for (const key of Object.keys(run.env)) twin.env[key].set(run.env[key]);
  return twin;
}

function snapshot(run) {
  const states = Object.entries(run.env).map(([key, array]) => [key, Array.from(array)]);
  return { p: Array.from(run.p), ...Object.fromEntries(states) };
}

function told(stage, { arrays, input }) {
  const { rule, title, on, target } = stage;
  const output = Array.from(stage.out);
  const scalars = Object.fromEntries(rule.scalars.map((name, i) => [name, stage.scalars[i]]));
  return {
    title,
    doc: rule.doc,
    rule: rule.name,
    on,
    scalars,
    sums: Object.fromEntries(stage.sums.map(({ name, out }) => [name, out[0]])),
    input,
    output,
    idle: output.every((value, i) => Object.is(value, input[i])),
    lines: linesOf(rule, resultOf(rule, on, target), scalars, arrays),
  };
}

/** What the value that a rule returns first is called. */
function resultOf(rule, on, target) {
  if (target === "p" || rule.moves) return "p";
  return on === "grad" ? "g" : "step";
}

function linesOf(rule, result, scalars, arrays) {
  const own = (i) => Object.fromEntries(rule.tensors.map((name, j) => [name, arrays[j][i]]));
  const places = arrays[0].map((_, i) => ({ ...scalars, ...own(i) }));
  const single = new Set(rule.scalars);
  let returned = false; // what is returned is computed at once: a later value sees none of the earlier
  return rule.lines.map(({ name, tokens, value }) => {
    const shown = tokens.map((token) => tokenOf(token, places, single));
    const values = places.map((place) => value(place));
    returned ||= name === null;
    if (!returned) {
      places.forEach((place, i) => (place[name] = values[i]));
      if (tokens.every((token) => typeof token === "string" || single.has(token[0]))) single.add(name);
      else single.delete(name);
    }
    return { name: name ?? result, tokens: shown, values };
  });
}

function tokenOf(token, places, single) {
  if (typeof token === "string") return { text: token };
  const [name] = token;
  if (single.has(name)) return { text: name, value: places[0][name] };
  return { text: name, values: places.map((place) => place[name]) };
}
