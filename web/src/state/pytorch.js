/** The race as Python with this library. */

import { schedules, transforms } from "../generated/library.js";
import { createSurface } from "../surfaces/index.js";
import { labelOf } from "./racers.js";

/** So many numbers of a list of data are on a line. */
const ROW = 8;

/**
 * @param {import("./state.js").State} state
 * @param {{ racer?: number|null, slices?: object[] }} [options] one racer, or all that are shown
 * @returns {string} a program that runs the race and prints where each racer ends
 */
export function toPyTorch(state, { racer = null, slices = [] } = {}) {
  const { id, parameters, formula } = state.surface;
  let surface;
  try {
    surface = createSurface(id, parameters, { slices, formula });
  } catch (error) {
    return `# The surface cannot be drawn: ${error.message.replace(/\s+/g, " ")}\n`;
  }
  const racers = racer === null ? state.racers.filter(({ hidden }) => !hidden) : [state.racers[racer]];
  const text = surface.expression === null ? onAModel(racers) : onTheSurface(state, surface, racers);
  return `${text.trim()}\n`;
}

function onTheSurface(state, surface, racers) {
  const uses = usedBy(racers, surface);
  return `# ${surface.label}: a race of thalweg's playground.${remarks(uses)}
${imports(uses)}

${surfaceCode(surface, uses)}

${uses.batch ? batchesCode(surface) : ""}
def run(${parametersOf(uses)}):
    """Return the point after ${state.steps} steps."""
    w = torch.nn.Parameter(torch.tensor([${state.start.map(python).join(", ")}], dtype=torch.float64))
    optimizer = make([w])
${setUp(uses)}
    def closure():
        optimizer.zero_grad()
        value = ${uses.batch ? "loss(*w, next(picks))" : "loss(*w)"}
        value.backward()
${uses.noise ? NOISE : ""}        return value

    for _ in range(${state.steps}):
        optimizer.step(closure)
${uses.schedule ? "        scheduler.step()\n" : ""}    return w.detach()


racers = {
${named(racers)
  .map(([name, racer]) => `    ${JSON.stringify(name)}: ${entry(racer, uses)},`)
  .join("\n")}
}
ends = {${uses.settings ? "name: run(**settings) for name, settings" : "name: run(make) for name, make"} in racers.items()}
for name, (x, y) in ends.items():
    print(f"{name}: (${surface.names[0]}, ${surface.names[1]}) = ({x:.6g}, {y:.6g}), loss {loss(x, y):.6g}")
`.replace(/\n{4,}/g, "\n\n\n");
}

/** What the racers need; full batches need no drawing. */
function usedBy(racers, surface) {
  const batch = racers.some((racer) => drawsBatches(racer, surface));
  const noise = racers.some((racer) => racer.noise > 0);
  const scheduled = racers.some((racer) => racer.schedule || racer.warmup);
  return {
    batch,
    noise,
    draws: batch || noise,
    schedule: scheduled,
    settings: batch || noise || scheduled,
    transforms: racers.some((racer) => racer.transforms.length),
  };
}

const drawsBatches = ({ batch }, { samples }) => batch > 0 && batch < samples;

const remarks = ({ draws }) =>
  draws
    ? "\n# Batches and noise are drawn as in the page, by Python's generator: the paths are the same up to rounding."
    : "";

const imports = (uses) =>
  `${uses.draws ? "import random\n\n" : ""}import torch\n\nfrom thalweg import ${modules(uses)}\n`;

const modules = (uses) =>
  ["optim", uses.schedule && "schedules", uses.transforms && "transforms"].filter(Boolean).join(", ");

function surfaceCode({ expression, sampleExpression }, uses) {
  if (!uses.batch) return `def loss(x, y):\n    return ${folded(expression)}\n`;
  return `def loss(x, y, picked=slice(None)):
    losses = ${folded(sampleExpression)}
    return losses[picked].mean()
`;
}

/** Lists of data over several lines. */
const folded = (expression) =>
  expression.replace(/\[([-\d.e, ]{70,})\]/g, (_, list) => {
    const numbers = list.split(", ");
    const rows = numbers.flatMap((_, i) => (i % ROW ? [] : [numbers.slice(i, i + ROW).join(", ")]));
    return `[\n${rows.map((row) => `        ${row},`).join("\n")}\n    ]`;
  });

const batchesCode = ({ samples }) => `
def batches(seed, size):
    """Yield the samples of each step: an epoch at a time, in a new order."""
    draw = random.Random(2 * seed)
    order = list(range(${samples}))
    while size:
        draw.shuffle(order)
        yield from (order[i : i + size] for i in range(0, len(order), size))
    while True:
        yield slice(None)

`;

function setUp(uses) {
  const lines = [];
  if (uses.schedule) lines.push("scheduler = schedule.attach(optimizer)");
  if (uses.batch) lines.push("picks = batches(seed, batch)");
  if (uses.noise) lines.push("draw = random.Random(2 * seed + 1)");
  return lines.map((line) => `    ${line}\n`).join("");
}

const NOISE = `        if noise:
            w.grad += noise * torch.tensor([draw.gauss(0, 1), draw.gauss(0, 1)], dtype=torch.float64)
`;

/** Racers by their names; a second one of a name gets a number. */
function named(racers) {
  const seen = new Set();
  return racers.map((racer) => {
    const label = labelOf(racer);
    let name = label;
    for (let n = 2; seen.has(name); n++) name = `${label} (${n})`;
    seen.add(name);
    return [name, racer];
  });
}

/** What run() is given, with what it is for racers that do not say. */
function parametersOf(uses) {
  const usual = [
    uses.schedule && "schedule=schedules.constant()",
    uses.noise && "noise=0",
    uses.batch && "batch=0",
    uses.draws && "seed=1",
  ];
  return ["make", ...usual.filter(Boolean)].join(", ");
}

function entry(racer, uses) {
  const make = `lambda w: ${optimizer(racer, "w")}`;
  if (!uses.settings) return make;
  const parts = [`make=${make}`];
  const lr = schedule(racer);
  if (lr) parts.push(`schedule=${lr}`);
  if (racer.noise) parts.push(`noise=${python(racer.noise)}`);
  if (racer.batch && uses.batch) parts.push(`batch=${racer.batch}`);
  if (racer.seed !== 1 && uses.draws) parts.push(`seed=${racer.seed}`);
  return `dict(${parts.join(", ")})`;
}

function optimizer(racer, parameters) {
  const options = Object.entries(racer.options).map(([name, value]) => `${name}=${python(value)}`);
  const around = racer.transforms.map(({ name, options: given }) =>
    call("transforms", transforms, name, given),
  );
  if (around.length) options.push(`transforms=[${around.join(", ")}]`);
  return `optim.${racer.optimizer}(${[parameters, ...options].join(", ")})`;
}

function schedule(racer) {
  const parts = racer.warmup ? [`schedules.warmup(${racer.warmup})`] : [];
  if (racer.schedule) parts.push(call("schedules", schedules, racer.schedule.name, racer.schedule.options));
  return parts.length ? parts.join(" >> ") : null;
}

/** The first argument goes without its name where it must be given. */
function call(module, library, name, options) {
  const [first] = library[name].arguments;
  const unnamed = first?.required ? first.name : null;
  const values = Object.entries(options).map(
    ([key, value]) => (key === unnamed ? "" : `${key}=`) + python(value),
  );
  return `${module}.${name}(${values.join(", ")})`;
}

/** A value as Python writes it. */
function python(value) {
  if (Array.isArray(value)) return `(${value.map(python).join(", ")}${value.length === 1 ? "," : ""})`;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return JSON.stringify(value);
  return Number.isFinite(value) ? String(value) : `float("${value > 0 ? "inf" : "-inf"}")`;
}

/** A measured slice has no formula: the racers on the model itself, which brings its own noise. */
function onAModel(racers) {
  const quiet = racers.map((racer) => ({ ...racer, noise: 0, batch: 0 }));
  const uses = { ...usedBy(quiet, { samples: 0 }), settings: true };
  const entries = named(quiet).map(([name, racer]) => `    ${JSON.stringify(name)}: ${entry(racer, uses)},`);
  return `# The surface is a slice that was measured around your own model, so there is no formula to run on.
# These are the racers for the model itself: racers[name]["make"](model.parameters()), and, where there is
# one, racers[name]["schedule"].attach(optimizer), whose step() follows each step of the optimizer.
from thalweg import ${modules(uses)}

racers = {
${entries.join("\n")}
}
`;
}
