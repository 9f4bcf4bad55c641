import { Walk } from "./walk.js";

/** How many steps are taken between two looks at the clock. */
const STRIDE = 200;

/**
 * @param {import("../state/state.js").Racer} racer
 * @param {import("../surfaces/index.js").Surface} surface
 * @param {number[]} start
 * @param {number} steps
 * @param {import("./breath.js").Breath} breath
 * @param {number} [reach] how many of the picture's sizes it may be away
 * @returns {Promise<number>} the loss after these steps, over all samples; Infinity where it ended before
 */
export async function outcome(racer, surface, start, steps, breath, reach) {
  const walk = new Walk(racer, surface, start, reach);
  while (walk.taken < steps && walk.ended === null) {
    walk.advance();
    if (walk.taken % STRIDE === 0 && breath.due) await breath.rest();
  }
  return walk.ended === null ? walk.loss : Infinity;
}

/**
 * The height that losses are measured from: that of the lowest minimum, or, on a surface without one, of the
 * lowest point of the picture.
 *
 * @param {import("../surfaces/index.js").Surface} surface
 * @returns {number}
 */
export function floorOf(surface) {
  const heights = surface.minima.length ? surface.minima.map(([x, y]) => surface.f(x, y)) : sampled(surface);
  const finite = heights.filter(Number.isFinite);
  return finite.length ? Math.min(...finite) : 0;
}

function sampled({ f, box: [x0, x1, y0, y1] }) {
  const n = 40;
  const at = (low, high, i) => low + ((high - low) * i) / n;
  return Array.from({ length: (n + 1) ** 2 }, (_, i) =>
    f(at(x0, x1, i % (n + 1)), at(y0, y1, Math.floor(i / (n + 1)))),
  );
}
