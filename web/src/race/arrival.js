import { floorOf } from "./outcome.js";

/**
 * When a racer has come down most of the way from the start's loss to the lowest minimum.
 *
 * @param {import("./simulate.js").Path} path
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number} [share] of the way
 * @returns {number|null} the first step at which it was that low; null if it never was
 */
export function arrival(path, surface, share = 0.99) {
  const floor = floorOf(surface);
  const goal = path.loss[0] - share * (path.loss[0] - floor);
  const step = path.loss.findIndex((loss) => loss <= goal);
  return step < 0 ? null : step;
}
