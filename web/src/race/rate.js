import { simulate } from "./simulate.js";

/** Rates that a racer may begin with, and how many steps each is tried for. */
const RATES = [-5, -4, -3, -2, -1, 0, 1].flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
const TRIAL = 200;

/**
 * A rate that works, found at once: of 1, 2, 5, 10, ... the one with the lowest loss after the first steps. `tune`
 * takes longer and finds the best.
 *
 * @param {import("../state/state.js").Racer} racer
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number[]} start
 * @param {number} steps
 * @returns {import("../state/state.js").Racer} the racer at this rate; as it was where none works
 */
export function atFairRate(racer, surface, start, steps) {
  const at = (lr) => ({ ...racer, options: { ...racer.options, lr } });
  let best = { loss: Infinity, racer };
  for (const lr of RATES) {
    const path = simulate(at(lr), surface, start, Math.min(steps, TRIAL));
    const loss = path.loss[path.steps];
    if (!path.ended && loss < best.loss) best = { loss, racer: at(lr) };
  }
  return best.racer;
}
