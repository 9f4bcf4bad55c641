import { sigmoid, softplus } from "./numbers.js";
import { random } from "./random.js";

const N = 24;

/**
 * The points: two clouds of 12 about (1, 0.5) and (-1, -0.5), normal with the given spread; the second input
 * is then multiplied by its scale. Seed 2, rounded to 3 digits so that a line of Python carries them.
 */
function sample(spread, scale) {
  const draw = random(2);
  const round = (value) => Math.round(value * 1000) / 1000;
  return Array.from({ length: N }, (_, i) => {
    const side = i % 2 ? 1 : -1;
    const x = side + spread * draw.normal();
    return { x: round(x), y: round(scale * (0.5 * side + spread * draw.normal())), label: i % 2 };
  });
}

/** The minimum, by Newton's method; from a spread of 0.8 on no line parts the classes, so there is one. */
function fit(a, b) {
  let w = 0;
  let v = 0;
  for (let n = 0; n < 50; n++) {
    let [gw, gv, ww, wv, vv] = [0, 0, 0, 0, 0];
    for (let i = 0; i < N; i++) {
      const wrong = sigmoid(-(w * a[i] + v * b[i]));
      const curve = wrong * (1 - wrong);
      gw -= wrong * a[i];
      gv -= wrong * b[i];
      ww += curve * a[i] * a[i];
      wv += curve * a[i] * b[i];
      vv += curve * b[i] * b[i];
    }
    const det = ww * vv - wv * wv;
    w -= (vv * gw - wv * gv) / det;
    v -= (ww * gv - wv * gw) / det;
  }
  return [w, v];
}

/** The mean loss over all points, and the gradient of the mean over some. */
function crossEntropy(a, b) {
  return {
    f(x, y) {
      let sum = 0;
      for (let i = 0; i < N; i++) sum += softplus(-(x * a[i] + y * b[i]));
      return sum / N;
    },
    batch(p, indices, out) {
      let w = 0;
      let v = 0;
      for (let n = 0; n < indices.length; n++) {
        const i = indices[n];
        const wrong = sigmoid(-(p[0] * a[i] + p[1] * b[i]));
        w -= wrong * a[i];
        v -= wrong * b[i];
      }
      out[0] = w / indices.length;
      out[1] = v / indices.length;
    },
  };
}

/** The cross-entropy of σ(w₁x + w₂y) on 24 points of two classes. */
export const logistic = {
  id: "logistic",
  label: "Logistic regression",
  group: "Data",
  note: "Cross-entropy flattens out where the points are right and grows straight where they are wrong.",
  parameters: [
    { name: "spread", label: "Spread", default: 1, min: 0.8, max: 2, scale: "linear" },
    { name: "scale", label: "Scale of input 2", default: 1, min: 0.2, max: 5, scale: "log" },
  ],
  make({ spread, scale }) {
    const points = sample(spread, scale);
    // A point of class 0 counts as its mirror image in class 1: the loss is then log(1 + e^-margin).
    const a = Float64Array.from(points, (p) => (p.label ? p.x : -p.x));
    const b = Float64Array.from(points, (p) => (p.label ? p.y : -p.y));
    const all = points.map((_, i) => i);
    const [w, v] = fit(a, b);
    const half = Math.max(3, 1.5 * Math.abs(w), 1.5 * Math.abs(v));
    const { f, batch } = crossEntropy(a, b);
    const margins = `x*x.new_tensor([${a.join(", ")}]) + y*x.new_tensor([${b.join(", ")}])`;
    const losses = `-torch.nn.functional.logsigmoid(${margins})`;
    return {
      names: ["w1", "w2"],
      f,
      gradient: (p, out) => batch(p, all, out),
      batch,
      samples: N,
      points,
      box: [w - half, w + half, v - half, v + half],
      start: [w - 0.8 * half, v - 0.6 * half],
      minima: [[w, v]],
      height: "log",
      sampleExpression: losses,
      expression: `(${losses}).mean()`,
    };
  },
};
