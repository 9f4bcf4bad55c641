// Races as Python, and where their racers end in the page: random ones, every optimizer, every lesson, and one a slice.
import { optimizers } from "../../web/src/generated/library.js";
import { simulate } from "../../web/src/race/simulate.js";
import { lessons } from "../../web/src/state/lessons.js";
import { toPyTorch } from "../../web/src/state/pytorch.js";
import { normalize } from "../../web/src/state/state.js";
import { createSurface, surfaces } from "../../web/src/surfaces/index.js";
import { randomFormula } from "../../web/test/random-formulas.mjs";
import { drawing, randomRacer } from "../../web/test/random-states.mjs";

const NUDGE = 1e-13;
const analytic = surfaces.map(({ id }) => id).filter((id) => id !== "formula" && id !== "slice");

function randomRace(seed) {
  const draw = drawing(1000 + seed);
  const id = draw.chance(0.2) ? "formula" : draw.one(analytic);
  const { parameters } = surfaces.find((one) => one.id === id);
  const value = ({ min, max, integer }) => (integer ? draw.whole(min, max) : min + (max - min) * draw.uniform());
  const surface = {
    id,
    parameters: Object.fromEntries(parameters.map((one) => [one.name, value(one)])),
    formula: id === "formula" ? randomFormula(draw, 3) : "",
  };
  const options = { rates: [1e-4, 0.02], quiet: draw.chance(0.5) };
  const racers = Array.from({ length: 4 }, () => ({ ...randomRacer(draw, options), hidden: false }));
  return normalize({ surface, steps: draw.whole(5, 40), racers });
}

const every = normalize({
  surface: { id: "linear" },
  steps: 30,
  racers: Object.keys(optimizers)
    .slice(0, 20)
    .map((optimizer) => ({
      optimizer,
      options: { lr: 0.01 },
      warmup: 3,
      label: `"${optimizer}" \\ 'ρ'`,
    })),
});

/** Where a racer ends; null where it left the picture, or where rounding alone decides it. */
function endOf(racer, surface, { start, steps }) {
  const from = (point) => simulate(racer, surface, point, steps);
  const [path, ...nearby] = [0, NUDGE, -NUDGE].map((by) => from(start.map((value) => value * (1 + by))));
  if ([path, ...nearby].some(({ ended }) => ended)) return null;
  const moved = Math.max(
    ...nearby.flatMap(({ x, y }) => [x[steps] - path.x[steps], y[steps] - path.y[steps]]).map(Math.abs),
  );
  const size = Math.max(1, Math.abs(path.x[steps]), Math.abs(path.y[steps]));
  return moved / size > 1000 * NUDGE ? null : [path.x[steps], path.y[steps]];
}

function printed(state) {
  const { id, parameters, formula } = state.surface;
  const surface = createSurface(id, parameters, { formula });
  const shown = state.racers.filter(({ hidden }) => !hidden);
  const ends = shown.map((racer) => endOf(racer, surface, state));
  const drawn = shown.some(({ noise, batch }) => noise > 0 || (batch > 0 && batch < surface.samples));
  console.log(
    JSON.stringify({
      code: toPyTorch(state),
      ends,
      drawn,
      optimizers: shown.map((racer) => racer.optimizer),
    }),
  );
}

for (let seed = 0; seed < 60; seed++) printed(randomRace(seed));
printed(every);
printed({ ...every, racers: ["a", "a", "a (2)", "a"].map((label) => ({ ...every.racers[0], label })) });
printed({ ...every, racers: every.racers.slice(0, 1) });
for (const { state } of lessons) printed(normalize({ ...state, steps: Math.min(state.steps, 60) }));

const plane = {
  x: [0, 1, 2],
  y: [0, 1, 2],
  losses: [
    [3, 2, 3],
    [2, 1, 2],
    [3, 2, 3],
  ],
  center: 1,
  labels: ["a", "b"],
  path: null,
};
const racer = {
  optimizer: "AdamW",
  options: { lr: 0.1 },
  transforms: [{ name: "clip_norm", options: { max_norm: 1 } }],
  warmup: 5,
};
const slice = normalize({ surface: { id: "slice" }, start: [1, 1], racers: [racer] }, [plane]);
console.log(
  JSON.stringify({
    code: toPyTorch(slice, { slices: [plane] }),
    ends: null,
    drawn: false,
    optimizers: ["AdamW"],
  }),
);
