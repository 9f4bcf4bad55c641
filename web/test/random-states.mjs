// Random valid states, for tests of properties. The same seed gives the same states.
import { optimizers, schedules, transforms } from "../src/generated/library.js";
import { normalize } from "../src/state/state.js";
import { random } from "../src/surfaces/random.js";
import { surfaces } from "../src/surfaces/index.js";

/** Draws: a number in a range (on a logarithmic scale), one of a list, a whole number. */
export function drawing(seed) {
  const draw = random(seed);
  return {
    ...draw,
    log: (low, high) => low * (high / low) ** draw.uniform(),
    one: (list) => list[draw.below(list.length)],
    whole: (low, high) => low + draw.below(high - low + 1),
    chance: (p) => draw.uniform() < p,
  };
}

/** Required options of a schedule, and some of the others. */
function scheduleOptions(draw, specs) {
  const options = {};
  for (const { name, kind, required, choices } of specs) {
    if (name === "after" || (!required && draw.chance(0.7))) continue;
    if (kind === "integers") options[name] = [draw.whole(1, 20), draw.whole(21, 60)];
    else if (["cycles", "multiplier"].includes(name)) options[name] = draw.whole(1, 3);
    else if (kind === "integer") options[name] = draw.whole(5, 60);
    else if (kind === "boolean") options[name] = draw.chance(0.5);
    else options[name] = kind === "choice" ? draw.one(choices) : draw.uniform() / 2;
  }
  return options;
}

const PAIRS = {
  betas: [0.95, 0.999],
  etas: [0.9, 1.9],
  eps: [1e-3, 1e-3],
  bounds: [0.1, 10],
  step_sizes: [1e-4, 5],
};

function optimizerOptions(draw, specs, rates) {
  const options = { lr: draw.log(...rates) };
  for (const spec of specs) {
    if (spec.name === "lr" || spec.name === "maximize" || draw.chance(0.7)) continue;
    if (spec.kind === "boolean") options[spec.name] = draw.chance(0.5);
    else if (spec.kind === "choice") options[spec.name] = draw.one(spec.choices);
    else if (spec.kind === "pair")
      options[spec.name] = PAIRS[spec.name]?.map((value) => value * (0.9 + 0.1 * draw.uniform()));
    else if (spec.kind === "number") options[spec.name] = draw.log(1e-4, 0.9);
    if (options[spec.name] === undefined) delete options[spec.name];
  }
  if (options.nesterov) Object.assign(options, { momentum: 0.8, dampening: 0 });
  return options;
}

const STRENGTHS = {
  max_norm: [0.1, 10],
  limit: [0.1, 10],
  weight_decay: [0.001, 0.5],
  l1: [0.001, 0.3],
  l2: [0.001, 0.3],
};

function randomTransform(draw, names) {
  const { name, arguments: specs } = transforms[draw.one(names)];
  const options = {};
  for (const { name: key, kind, required, choices } of specs) {
    if (key in STRENGTHS) options[key] = draw.log(...STRENGTHS[key]);
    else if (!required && draw.chance(0.5)) continue;
    else if (kind === "choice") options[key] = draw.one(choices);
    else if (kind === "pair") options[key] = PAIRS[key];
  }
  return { name, options };
}

/** Those whose rule moves the parameters itself take no transform of the step. */
const MOVES = new Set(["ASGD", "AdamHD", "LARS", "Momentum", "Nesterov", "Rprop", "SGDHD"]);

export function randomRacer(draw, { rates = [1e-4, 1], quiet = false } = {}) {
  const optimizer = draw.one(Object.keys(optimizers));
  const wraps = Object.keys(transforms).filter((name) => !MOVES.has(optimizer) || transforms[name].on !== "step");
  const shape = draw.one(Object.keys(schedules).filter((name) => name !== "warmup"));
  return {
    optimizer,
    options: optimizerOptions(draw, optimizers[optimizer].options, rates),
    transforms: Array.from({ length: draw.one([0, 0, 0, 1, 1, 2, 3]) }, () => randomTransform(draw, wraps)),
    warmup: draw.chance(0.3) ? draw.whole(1, 50) : 0,
    schedule: draw.chance(0.5)
      ? { name: shape, options: scheduleOptions(draw, schedules[shape].arguments) }
      : null,
    noise: quiet || draw.chance(0.7) ? 0 : draw.log(1e-3, 10),
    seed: draw.whole(0, 1000),
    batch: quiet || draw.chance(0.7) ? 0 : draw.whole(1, 40),
    hidden: draw.chance(0.1),
    hue: draw.whole(0, 9),
  };
}

const WORDS = [
  "wide ρ → 0",
  "a;b&c=d(e)%20#f,g<h>i~26~",
  "日本語 🏔",
  "'\"`\\",
  "none",
  "AdamW(lr=1)",
  "+x+",
  "a >> b",
];

function randomSurface(draw) {
  const { id, parameters } = draw.one(surfaces.filter((one) => !["formula", "slice"].includes(one.id)));
  const values = parameters.map(({ name, min, max, integer }) => {
    const value = min + (max - min) * draw.uniform();
    return [name, integer ? Math.round(value) : value];
  });
  return { id, parameters: Object.fromEntries(values.filter(() => draw.chance(0.5))), formula: "" };
}

/** @returns {object} a normalized state */
export function randomState(seed, options = {}) {
  const draw = drawing(seed);
  const count = draw.whole(0, 6);
  const racers = Array.from({ length: count }, () => {
    const racer = randomRacer(draw, options);
    return draw.chance(0.3) ? { ...racer, label: draw.one(WORDS) } : racer;
  });
  const steps = options.steps ?? draw.whole(1, 10_000);
  const state = {
    surface: randomSurface(draw),
    start: [draw.normal() * 3, draw.log(1e-9, 1e6)],
    steps,
    racers,
    view: {
      stage: draw.one(["contour", "surface"]),
      chart: draw.one(["loss", "rates", "schedule", "phase", "step"]),
      log: draw.chance(0.5),
    },
    playhead: draw.chance(0.5) ? null : draw.uniform() * steps,
    speed: draw.one([1, 0.25, 0.1 + draw.uniform()]),
    lesson: draw.one([null, "zigzag"]),
    ...draw.one([{}, { theme: "dark" }, { theme: "light" }]),
  };
  if (draw.chance(0.2)) state.view.box = [-draw.uniform(), draw.uniform(), -5, 1e-7 * draw.normal()];
  if (draw.chance(0.2)) state.view.camera = [draw.normal() * 90, 90 * draw.uniform(), draw.log(0.5, 5)];
  if (draw.chance(0.3))
    state.surface.formula = draw.one(["x**2 + 50*y^2", "sin(x) & 100% #1 ~", "日本 (", "log(x"]);
  return normalize(state);
}
