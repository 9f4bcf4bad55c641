import { Bicubic } from "./bicubic.js";
import { heightOf } from "./numbers.js";

/** A plane through the loss surface of the user's own model, as `thalweg landscape --json` measures it. */
export const slice = {
  id: "slice",
  label: "Slice of your model",
  group: "Yours",
  note:
    "Measured losses of your network on a plane, made smooth; racers know no third direction. A line " +
    "without a racer is the way of your own training.",
  parameters: [
    { name: "index", label: "Which slice", default: 0, min: 0, max: 99, scale: "linear", integer: true },
  ],
  make({ index }, { slices }) {
    if (!slices.length) {
      throw new Error(
        "There is no slice here; start the page with one: " +
          "thalweg landscape TASK --json > slice.json, then thalweg play --slice slice.json.",
      );
    }
    const plane = slices[Math.min(index, slices.length - 1)];
    const { x, y, losses } = plane;
    const smooth = new Bicubic(x, y, losses);
    const f = (a, b) => smooth.f(a, b);
    const inside = (a, b) => smooth.inside(a, b);
    const box = [x[0], x[x.length - 1], y[0], y[y.length - 1]];
    return {
      label: plane.title ?? slice.label,
      f,
      gradient: (p, out) => smooth.gradient(p, out),
      inside,
      box,
      start: beginning(plane.path ?? [], box, inside),
      minima: [],
      height: heightOf(f, box),
      expression: null,
      axes: plane.labels,
      path: plane.path ?? [],
      measured: true,
    };
  },
};

/** Where the training's path comes into the plane; without a path, a point near a corner. */
function beginning(path, [x0, x1, y0, y1], inside) {
  const corners = [[0.15, 0.85], [0.85, 0.85], [0.15, 0.15], [0.85, 0.15], [0.3, 0.7], [0.7, 0.3], [0.5, 0.5]]
    .map(([s, t]) => [x0 + s * (x1 - x0), y0 + t * (y1 - y0)]);
  const between = (value, low, high) => Math.abs(value - (low + high) / 2) < 0.48 * (high - low);
  const within = ([x, y]) => between(x, x0, x1) && between(y, y0, y1);
  const steps = path.filter(within).map(([x, y]) => [x, y]);
  return [...steps, ...corners].find(([x, y]) => inside(x, y)) ?? corners[6];
}
