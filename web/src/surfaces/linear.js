import { random } from "./random.js";

const N = 32;

/**
 * The points: x is uniform in [-1, 1] plus the offset, the target is 1.2 x + 0.4 plus normal noise; seed 1,
 * rounded to 3 digits so that a line of Python carries them.
 */
function sample(noise, offset) {
  const draw = random(1);
  const round = (value) => Math.round(value * 1000) / 1000;
  return Array.from({ length: N }, () => {
    const x = round(2 * draw.uniform() - 1 + offset);
    return { x, y: round(1.2 * x + 0.4 + noise * draw.normal()) };
  });
}

/** Least squares: the minimum, from the normal equations about the means. */
function fit(points) {
  const mean = (key) => points.reduce((sum, point) => sum + point[key], 0) / N;
  const x = mean("x");
  const y = mean("y");
  const over = points.reduce((sum, p) => sum + (p.x - x) * (p.y - y), 0);
  const w = over / points.reduce((sum, p) => sum + (p.x - x) * (p.x - x), 0);
  return [w, y - w * x];
}

/** The mean loss over all points, and the gradient of the mean over some. */
function squaredError(a, t) {
  return {
    f(w, b) {
      let sum = 0;
      for (let i = 0; i < N; i++) {
        const wrong = w * a[i] + b - t[i];
        sum += wrong * wrong;
      }
      return sum / N;
    },
    batch(p, indices, out) {
      let w = 0;
      let b = 0;
      for (let n = 0; n < indices.length; n++) {
        const i = indices[n];
        const wrong = p[0] * a[i] + p[1] - t[i];
        w += wrong * a[i];
        b += wrong;
      }
      out[0] = (2 * w) / indices.length;
      out[1] = (2 * b) / indices.length;
    },
  };
}

/** The mean squared error of a line wx + b through 32 points. */
export const linear = {
  id: "linear",
  label: "Linear regression",
  group: "Data",
  note: "Small batches see other bowls than the full batch; inputs far from zero make a ravine of the bowl.",
  parameters: [
    { name: "noise", label: "Noise", default: 0.5, min: 0, max: 2, scale: "linear" },
    { name: "offset", label: "Mean of the inputs", default: 1, min: 0, max: 3, scale: "linear" },
  ],
  make({ noise, offset }) {
    const points = sample(noise, offset);
    const a = points.map((point) => point.x);
    const t = points.map((point) => point.y);
    const all = points.map((_, i) => i);
    const [w, b] = fit(points);
    const { f, batch } = squaredError(Float64Array.from(a), Float64Array.from(t));
    const losses = `(x*x.new_tensor([${a.join(", ")}]) + y - x.new_tensor([${t.join(", ")}]))**2`;
    return {
      names: ["w", "b"],
      f,
      gradient: (p, out) => batch(p, all, out),
      batch,
      samples: N,
      points,
      box: [w - 3.5, w + 3.5, b - 3.5, b + 3.5],
      start: [w - 2.6, b - 2],
      minima: [[w, b]],
      height: "log",
      sampleExpression: losses,
      expression: `(${losses}).mean()`,
    };
  },
};
