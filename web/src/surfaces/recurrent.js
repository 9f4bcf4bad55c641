import { sigmoid } from "./numbers.js";

const BEGIN = 0.5;
const TARGET = 0.7;

/**
 * A recurrent network of one unit, hₜ = w σ(hₜ₋₁) + b from h₀ = 0.5, and the error (σ(h_T) - 0.7)²: the
 * surface of figure 6 in Pascanu et al. 2013, arXiv 1211.5063. Its gradient is a product of T factors.
 */
export const recurrent = {
  id: "recurrent",
  label: "Recurrent unit",
  group: "Saddles and flats",
  note: "A real cliff: a gradient that has gone back through many steps in time is tiny or huge.",
  parameters: [
    { name: "steps", label: "Steps in time T", default: 30, min: 1, max: 50, scale: "linear", integer: true },
  ],
  make({ steps }) {
    const unit = new Float64Array(steps + 1); // σ(hₜ) at the last point: f and gradient go by turns
    let lastW = NaN;
    let lastB = NaN;
    function run(w, b) {
      if (w === lastW && b === lastB) return;
      lastW = w;
      lastB = b;
      unit[0] = sigmoid(BEGIN);
      for (let t = 0; t < steps; t++) unit[t + 1] = sigmoid(w * unit[t] + b);
    }
    return {
      names: ["w", "b"],
      f(w, b) {
        run(w, b);
        const wrong = unit[steps] - TARGET;
        return wrong * wrong;
      },
      gradient(p, out) {
        run(p[0], p[1]);
        let byW = 0; // the derivatives of hₜ
        let byB = 0;
        for (let t = 0; t < steps; t++) {
          const through = t && p[0] * unit[t] * (1 - unit[t]);
          byW = unit[t] + through * byW;
          byB = 1 + through * byB;
        }
        const said = unit[steps];
        const slope = 2 * (said - TARGET) * said * (1 - said);
        out[0] = slope * byW;
        out[1] = slope * byB;
      },
      box: [3.4, 7, -4.1, -0.5],
      start: [6.4, -1.4],
      minima: [], // a curve of them: wherever σ(h_T) = 0.7
      height: "linear",
      expression:
        `(torch.sigmoid([h := x*torch.sigmoid(h if t else torch.full_like(x, ${BEGIN})) + y ` +
        `for t in range(${steps})][-1]) - ${TARGET})**2`,
    };
  },
};
