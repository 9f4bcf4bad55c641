/** Points this near to a straight line are not told apart from it, in CSS pixels. */
const BENT = 0.1;

/**
 * How far a straight line may go on in place of many short ones: software rendering takes its time for each.
 * From where it begins, every point that it passes leaves a sector in which it may go on.
 */
export class Straight {
  /** @param {number} x @param {number} y the point that it begins at */
  begin(x, y) {
    this.x = x;
    this.y = y;
    this.far = 0;
    this.ahead = 0;
    this.low = -Math.PI;
    this.high = Math.PI;
  }

  /**
   * @param {number} x @param {number} y the point that comes next
   * @returns {boolean} whether a straight line to it passes near to all points before
   */
  reaches(x, y) {
    const dx = x - this.x;
    const dy = y - this.y;
    const far = Math.hypot(dx, dy);
    if (!(far > this.far)) return false; // it turned back
    if (this.far === 0) this.ahead = Math.atan2(dy, dx);
    const turn = turned(Math.atan2(dy, dx) - this.ahead);
    if (turn < this.low || turn > this.high) return false;
    this.low = Math.max(this.low, turn - BENT / far);
    this.high = Math.min(this.high, turn + BENT / far);
    this.far = far;
    return true;
  }
}

/** An angle between -π and π. */
const turned = (angle) => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));

/**
 * The points of a line without those that are on its way.
 * @param {number[]} points [x, y, x, y, ...], as is what is returned
 */
export function straightened(points) {
  const found = points.slice(0, 2);
  const straight = new Straight();
  straight.begin(points[0], points[1]);
  for (let i = 2; i < points.length; i += 2) {
    if (straight.reaches(points[i], points[i + 1])) continue;
    found.push(points[i - 2], points[i - 1]);
    straight.begin(points[i - 2], points[i - 1]);
    straight.reaches(points[i], points[i + 1]);
  }
  found.push(...points.slice(-2));
  return found;
}
