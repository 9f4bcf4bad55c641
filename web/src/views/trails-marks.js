/**
 * The marks of the racers: a shape for each hue, so that colour is never the only cue. The same shapes stand
 * on the stage, at the ends of curves and in the list of racers.
 */

const turn = (corners, radius, from = -90) =>
  corners.map((share, k) => {
    const angle = ((from + (360 / corners.length) * k) * Math.PI) / 180;
    return [radius * share * Math.cos(angle), radius * share * Math.sin(angle)];
  });

const even = (n) => new Array(n).fill(1);

// The size of each shape is chosen so that all of them look equally large.
const SHAPES = [
  null, // a circle
  (r) => turn(even(4), r * 1.2, -45),
  (r) => turn(even(3), r * 1.35),
  (r) => turn(even(4), r * 1.3),
  (r) => turn(even(3), r * 1.35, 90),
  (r) => cross(r * 1.25),
  (r) => turn(even(5), r * 1.2),
  (r) => turn([1, 0.5, 1, 0.5, 1, 0.5, 1, 0.5, 1, 0.5], r * 1.5),
  (r) => cross(r * 1.25).map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2]),
  (r) => turn(even(6), r * 1.2, 0),
];

function cross(r) {
  const a = r * 0.38;
  return [
    [-a, -r],
    [a, -r],
    [a, -a],
    [r, -a],
    [r, a],
    [a, a],
    [a, r],
    [-a, r],
    [-a, a],
    [-r, a],
    [-r, -a],
    [-a, -a],
  ];
}

/**
 * The outline of a racer's mark around (0, 0) as SVG path data, for `<path d>` and for `new Path2D`.
 * @param {number} hue the racer's hue, 0 to 9
 * @param {number} radius about half the size of the mark
 * @returns {string}
 */
export function markPath(hue, radius) {
  const shape = SHAPES[hue % SHAPES.length];
  const number = (v) => String(Math.round(v * 100) / 100);
  if (!shape) {
    const r = number(radius);
    const d = number(2 * radius);
    return `M-${r} 0a${r} ${r} 0 1 0 ${d} 0a${r} ${r} 0 1 0 -${d} 0Z`;
  }
  return `M${shape(radius)
    .map(([x, y]) => `${number(x)} ${number(y)}`)
    .join("L")}Z`;
}

const known = new Map();

/**
 * Draws a racer's mark on a canvas, with a rim that sets it off from any ground.
 * @param {CanvasRenderingContext2D} ink
 * @param {{ hue: number, x: number, y: number, radius: number, fill: string, rim: string, width?: number }}
 *   mark
 */
export function drawMark(ink, { hue, x, y, radius, fill, rim, width = 3 }) {
  const key = `${hue} ${radius}`;
  if (!known.has(key)) known.set(key, new Path2D(markPath(hue, radius)));
  const shape = known.get(key);
  ink.save();
  ink.translate(x, y);
  ink.lineJoin = "round";
  ink.setLineDash([]);
  ink.lineWidth = width;
  ink.strokeStyle = rim;
  ink.stroke(shape);
  ink.fillStyle = fill;
  ink.fill(shape);
  ink.restore();
}
