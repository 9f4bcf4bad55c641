import { floorOf } from "./outcome.js";

/**
 * @typedef {object} Summary of a racer
 * @property {number} loss at the end of its path
 * @property {number|null} rank 1 for the lowest final loss; equal losses share a rank, those that ended
 *   early come last, hidden racers have none
 * @property {number|null} reached the first step at which the loss above the minimum was within the tolerance
 * @property {null | { step: number, why: string }} ended
 */

/**
 * @param {import("../state/state.js").Racer[]} racers
 * @param {import("./simulate.js").Path[]} paths of the racers, in the same order
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number} [tolerance] the part of the start's loss above the minimum that counts as arrived
 * @returns {Summary[]}
 */
export function summarize(racers, paths, surface, tolerance = 0.01) {
  const floor = floorOf(surface);
  const ends = paths.map((path) => (path.ended ? Infinity : path.loss[path.steps]));
  const visible = ends.filter((_, i) => !racers[i].hidden);
  return paths.map((path, i) => {
    const goal = floor + tolerance * (path.loss[0] - floor);
    const reached = path.loss.findIndex((loss) => loss <= goal);
    return {
      loss: path.loss[path.steps],
      rank: racers[i].hidden ? null : 1 + visible.filter((end) => end < ends[i]).length,
      reached: reached < 0 ? null : reached,
      ended: path.ended,
    };
  });
}
