/**
 * Steps of the library's own optimizers, from the rules that Python printed.
 *
 * A program is a list of stages in the order of the Python engine:
 *
 *     gradient -> transforms of it -> the algorithm's rule -> transforms of the step -> p - lr * step -> prox
 */

import { optimizers, rules, transforms as factories } from "../generated/library.js";
import { entry, filled, FloatingPointError, UserError } from "./check.js";
import { explain } from "./explain.js";
import { ArithmeticError } from "./python.js";

const T = 0; // places in a run's clock: the number of the step, from 1, and its learning rate
const LR = 1;

/**
 * The program of an optimizer with its options and with transforms around it.
 * @param {string} name such as "AdamW"
 * @param {object} [options] those that differ from the defaults
 * @param {{name: string, options?: object}[]} [transforms] in the order in which they are to work
 * @returns {Program}
 * @throws {UserError} with a sentence for the reader, and the option that is to blame
 */
export function compose(name, options = {}, transforms = []) {
  const optimizer = entry(optimizers, name, "optimizer");
  const chosen = filled(name, optimizer.options, options);
  optimizer.check(chosen);
  const group = { ...optimizer.group, ...chosen };
  const [rule, own] = optimizer.algorithm(group);
  return new Program(optimizer, group, stagesOf(name, group, rule, own, transforms.map(wrap)));
}

/** What the library says of an option of an optimizer. @param {string} optimizer @param {string} name */
export const optionOf = (optimizer, name) => optimizers[optimizer].options.find((one) => one.name === name);

function wrap({ name, options = {} }) {
  const factory = entry(factories, name, "transform");
  return { ...factory.make(filled(name, factory.arguments, options)), title: name };
}

function stagesOf(name, group, rule, own, wraps) {
  const misfit = rule.moves && wraps.find((wrapped) => wrapped.on === "step");
  if (misfit) {
    throw new UserError(
      `${name} moves the parameters itself, so ${misfit.title}, which changes the step, cannot be used ` +
        "with it; use one that changes the gradient, such as coupled_decay",
    );
  }
  const all = [...wraps.filter((t) => t.on === "grad"), ...own, ...wraps.filter((t) => t.on !== "grad")];
  const staged = (t) => stage(t.rule, t.on, t.title ?? t.rule.name, t);
  const at = (place) => all.filter((t) => t.on === place).map(staged);
  return [
    ...(group.maximize ? [stage(rules.ascend, "grad", "maximize")] : []),
    ...at("grad"),
    stage(rule, "rule", name),
    ...at("step"),
    stage(rule.moves ? rules.keep : rules.descend, "move", "step"),
    ...at("param"),
  ];
}

function stage(rule, on, title, { options = {}, check = null } = {}) {
  const target = on === "move" || on === "param" ? "p" : "g";
  const inputs = [...["p", "g"].slice(0, rule.tensors.length), ...rule.buffers];
  return { rule, on, title, options, check, target, inputs };
}

/** An optimizer's stages with the values of its options; `begin` starts a run. */
export class Program {
  constructor(optimizer, group, stages) {
    this.optimizer = optimizer;
    this.group = group;
    this.stages = stages;
    this.values = { ...group };
    for (const { name, members } of optimizer.options) {
      members?.forEach((member, i) => (this.values[member] = group[name][i]));
    }
  }

  /**
   * A run from a point, before its first step.
   * @param {Float64Array | number[]} p copied
   * @returns {Run}
   */
  begin(p) {
    return new Run(this, Float64Array.from(p));
  }

  /** The states of n elements before the first step at a learning rate. */
  states(n, lr) {
    const zeros = {};
    for (const { rule } of this.stages) {
      for (const key of rule.buffers) zeros[key] = new Float64Array(n);
      for (const key of rule.numbers) zeros[key] = new Float64Array(1);
    }
    return this.optimizer.states ? this.optimizer.states({ ...this.group, lr }, zeros) : zeros;
  }
}

/**
 * One run: `p`, `t` (steps taken), `env` (the states by key), `gradient` (as it was before any stage) and,
 * after a step that failed, `message`.
 */
export class Run {
  constructor(program, p) {
    this.program = program;
    this.p = p;
    this.t = 0;
    this.gradient = new Float64Array(p.length);
    this.message = "";
    this.begun = false;
    this.clock = new Float64Array(2);
    this.g = new Float64Array(p.length);
    this.ahead = program.optimizer.ahead ? new Float64Array(p.length) : null;
    this.env = program.states(p.length, program.group.lr);
    this.stages = program.stages.map((spec) => new Bound(spec, this));
    this.carried = this.stages.flatMap((stage) => stage.carried);
  }

  /**
   * One step.
   * @param {(p: Float64Array, out: Float64Array) => void} gradient
   * @param {number} lr
   * @returns {"ok" | "skipped" | "not finite"}
   */
  step(gradient, lr) {
    try {
      this.prepare(gradient, lr);
      for (const stage of this.stages) {
        if (this.take(stage)) return "skipped";
      }
    } catch (error) {
      if (!(error instanceof ArithmeticError || error instanceof FloatingPointError)) throw error;
      this.message = error.message;
      return "not finite";
    }
    this.finish();
    return finite(this.p) ? "ok" : "not finite";
  }

  /** What comes before the stages: the first states, the scalars of this step, the gradient. */
  prepare(gradient, lr) {
    if (!this.begun) {
      this.begun = true;
      const fresh = this.program.states(this.p.length, lr);
      for (const key of Object.keys(fresh)) this.env[key].set(fresh[key]);
    }
    this.clock[T] = this.t + 1;
    this.clock[LR] = lr;
    gradient(this.point(), this.gradient);
    for (let i = 0; i < this.g.length; i++) this.g[i] = this.gradient[i]; // two numbers: faster than g.set
  }

  /** Where the gradient is taken: at p, or ahead of it. */
  point() {
    if (!this.ahead) return this.p;
    const { state, factor } = this.program.optimizer.ahead;
    const carried = this.env[state];
    const share = this.program.values[factor];
    for (let i = 0; i < this.p.length; i++) this.ahead[i] = this.p[i] + share * carried[i];
    return this.ahead;
  }

  /** Run one stage; true if its transform asks to skip the step. */
  take(stage) {
    const { rule, scalars, constants, moving } = stage;
    for (const sum of stage.sums) {
      refresh(sum.scalars, sum.moving);
      sum.rule.constants(sum.scalars, sum.constants);
      sum.out[0] = sum.rule.total(this.p.length, sum.arrays, sum.constants);
    }
    if (stage.check !== null && stage.check(totalsOf(stage.sums))) return true;
    if (moving.length > 0) {
      refresh(scalars, moving);
      rule.constants(scalars, constants);
    }
    rule.run(this.p.length, stage.arrays, constants, stage.out);
    return false;
  }

  /** What comes after the stages: the states that are numbers, and the count. */
  finish() {
    for (const { state, constants, place } of this.carried) state[0] = constants[place];
    this.t += 1;
  }

  /** What the next step will do, stage by stage; the run stays as it is. */
  explain(gradient, lr) {
    return explain(this, gradient, lr);
  }
}

/**
 * A stage with the arrays of one run, and its scalars, of which only those that move are written again. A
 * class, since objects put together by spreading have many shapes, and the engine of the browser then looks
 * every property up anew in each step.
 */
class Bound {
  constructor(spec, run) {
    const { rule, inputs } = spec;
    const places = { p: run.p, g: run.g, ...run.env };
    this.rule = rule;
    this.on = spec.on;
    this.title = spec.title;
    this.target = spec.target;
    this.check = spec.check;
    this.sums = Object.entries(rule.sums).map(([name, summand]) => ({
      name,
      rule: summand,
      arrays: summand.tensors.map((own) => places[inputs[rule.tensors.indexOf(own)]]),
      out: new Float64Array(1),
      ...scalarsOf(spec, summand, run, []),
    }));
    Object.assign(this, scalarsOf(spec, rule, run, this.sums));
    if (this.moving.length === 0) rule.constants(this.scalars, this.constants);
    this.arrays = inputs.map((key) => places[key]);
    this.out = places[spec.target];
    this.carried = rule.numbers.map((key, i) => ({
      state: run.env[key],
      constants: this.constants,
      place: rule.newNumbers[i],
    }));
  }
}

/** The scalar arguments of a rule: those that stay are set, for the others it says where they come from. */
function scalarsOf(spec, rule, run, sums) {
  const scalars = new Float64Array(rule.scalars.length);
  const moving = [];
  rule.scalars.forEach((name, at) => {
    const key = spec.rule.states[name] ?? name;
    const sum = sums.find((one) => one.name === key);
    if (sum) moving.push({ at, from: sum.out, place: 0 });
    else if (Object.hasOwn(spec.options, key)) scalars[at] = spec.options[key];
    else if (Object.hasOwn(run.env, key)) moving.push({ at, from: run.env[key], place: 0 });
    else if (key === "t" || key === "lr") moving.push({ at, from: run.clock, place: key === "t" ? T : LR });
    else if (Object.hasOwn(run.program.values, key)) scalars[at] = run.program.values[key];
    else throw new Error(`${rule.name} asks for ${key}, which nothing gives`);
  });
  return { scalars, moving, constants: new Float64Array(rule.size) };
}

function refresh(scalars, moving) {
  for (const { at, from, place } of moving) scalars[at] = from[place];
}

/** `p.every(Number.isFinite)` without a call for each element. */
function finite(p) {
  for (let i = 0; i < p.length; i++) if (!Number.isFinite(p[i])) return false;
  return true;
}

/** What a transform's check is told of its sum. */
function totalsOf(sums) {
  const { out } = sums.find((sum) => sum.name === "total");
  const total = out[0];
  return { total, by_name: { p: total }, not_finite: () => (Number.isFinite(total) ? [] : ["p"]) };
}
