// Runs the printed engine on the cases of a module, `node parity.mjs cases.mjs`: a line of JSON a result.

import { pathToFileURL } from "node:url";

import { optimizers, rules } from "../../web/src/generated/library.js";
import { compose } from "../../web/src/engine/program.js";
import { schedule, scheduleOf } from "../../web/src/engine/schedule.js";

const { data, cases, shapes, mutants } = await import(pathToFileURL(process.argv[2]));

const GRADIENTS = {
  bowl(p, t, g) {
    for (let i = 0; i < p.length; i++) g[i] = data.curvature[i] * p[i] + data.noise[t][i];
  },
  hill(p, t, g) {
    for (let i = 0; i < p.length; i++) g[i] = data.noise[t][i] - data.curvature[i] * p[i];
  },
  recorded(p, t, g) {
    g.set(data.recorded[t]);
  },
  rosenbrock(p, t, g) {
    g.fill(0);
    for (let i = 0; i < p.length - 1; i++) {
      const d = p[i + 1] - p[i] * p[i];
      g[i] += -400 * p[i] * d - 2 * (1 - p[i]);
      g[i + 1] += 200 * d;
    }
  },
  broken(p, t, g) {
    GRADIENTS.bowl(p, t, g);
    if (t === 5) g[2] = NaN;
    if (t === 9) g[1] = Infinity;
  },
};

const { Learned } = optimizers;
const weights = Learned.algorithm(Learned.group)[1][0].options;
const trained = { ...weights };

function run({ network, ...rest }) {
  Object.assign(weights, network === null ? trained : data.networks[network]);
  return taken(rest);
}

function taken({ optimizer, options, gradient, transforms, warmup, schedule: shape }) {
  const program = compose(optimizer, options, transforms);
  const started = program.begin(data.start);
  const factor = schedule(warmup, shape);
  const outcomes = [];
  const path = [];
  const states = [];
  for (let t = 0; t < data.noise.length; t++) {
    const lr = program.group.lr * factor(t);
    outcomes.push(started.step((p, g) => GRADIENTS[gradient](p, t, g), lr));
    path.push(Array.from(started.p));
    states.push({ step: [started.t], ...copied(started.env) });
    if (outcomes.at(-1) === "not finite") break;
  }
  return { outcomes, path, states };
}

function copied(env) {
  return Object.fromEntries(Object.entries(env).map(([key, array]) => [key, Array.from(array)]));
}

function factors({ parts, steps }) {
  const made = parts.map(({ name, options }) => scheduleOf(0, { name, options })).reduce((a, b) => a.then(b));
  const at = steps.map((step) => {
    try {
      return made.at(step);
    } catch (error) {
      return error.message;
    }
  });
  return { at, steps: made.steps, span: made.span(), text: made.__repr__() };
}

/** Whether two results differ by more than rounding. */
function differs(a, b) {
  if (a.outcomes.join() !== b.outcomes.join()) return true;
  if (a.path.some((p, t) => p.some((value, i) => far(value, b.path[t][i])))) return true;
  const [left, right] = [a.states.at(-1), b.states.at(-1)];
  return Object.keys(left).some((key) => left[key].some((value, i) => far(value, right[key][i])));
}

function far(a, b) {
  if (Object.is(a, b) || a === b) return false;
  return !(Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)));
}

/** The mutants of a rule that no case tells from the original. */
function survivors({ rule, cases: names, changes }) {
  const own = cases.filter(({ name }) => names.includes(name));
  const right = own.map(run);
  const original = { ...rules[rule] };
  const left = changes.filter(({ mutant }) => {
    Object.assign(rules[rule], mutant);
    return !own.some((one, i) => differs(run(one), right[i]));
  });
  Object.assign(rules[rule], original);
  return { rule, count: changes.length, left: left.map(({ change }) => change) };
}

const replacer = (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
const print = (value) => process.stdout.write(`${JSON.stringify(value, replacer)}\n`);
if (mutants) mutants.forEach((each) => print(survivors(each)));
else if (shapes) shapes.forEach((each) => print(factors(each)));
else cases.forEach((each) => print(run(each)));
