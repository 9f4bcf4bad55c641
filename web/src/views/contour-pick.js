/** Which racer and which step a place on a stage view is near to. */

/** A trail is picked from this far, in CSS pixels; a finger needs more. */
const REACH = { mouse: 14, touch: 22, pen: 16 };

/**
 * The nearest step of a shown racer up to the playhead, or null.
 * @param {object} app
 * @param {(path: object, step: number) => number[]} at where a step is on the canvas
 * @returns {{ racer: number, step: number } | null}
 */
export function pick(app, at, x, y, pointer = "mouse") {
  let found = null;
  let nearest = (REACH[pointer] ?? REACH.mouse) ** 2;
  app.state.racers.forEach(({ hidden }, racer) => {
    const path = app.paths[racer];
    if (hidden || !path) return;
    const near = nearestStep(path, at, x, y, Math.min(Math.floor(app.step), path.x.length - 1));
    if (near.distance >= nearest) return;
    nearest = near.distance;
    found = { racer, step: near.step };
  });
  return found;
}

/** The step at the nearer end of the segment that is nearest, and the square of the distance to it. */
function nearestStep(path, at, x, y, last) {
  let [ax, ay] = at(path, 0);
  let best = { step: 0, distance: (ax - x) ** 2 + (ay - y) ** 2 };
  for (let k = 1; k <= last; k++) {
    const [bx, by] = at(path, k);
    const dx = bx - ax;
    const dy = by - ay;
    const size = dx * dx + dy * dy;
    const share = size > 0 ? Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / size, 0), 1) : 0;
    const distance = (ax + share * dx - x) ** 2 + (ay + share * dy - y) ** 2;
    if (distance < best.distance) best = { step: share < 0.5 ? k - 1 : k, distance };
    ax = bx;
    ay = by;
  }
  return best;
}
