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
  note: "A real cliff: after 50 steps in time the gradient at the wall is a thousand times that beside it.",
  parameters: [
    { name: "steps", label: "Steps in time T", default: 50, min: 1, max: 50, scale: "linear", integer: true },
  ],
  make({ steps }) {
    return {
      names: ["w", "b"],
      f(w, b) {
        let h = BEGIN;
        for (let t = 0; t < steps; t++) h = w * sigmoid(h) + b;
        const wrong = sigmoid(h) - TARGET;
        return wrong * wrong;
      },
      gradient(p, out) {
        let h = BEGIN;
        let byW = 0;
        let byB = 0;
        for (let t = 0; t < steps; t++) {
          const s = sigmoid(h);
          const through = p[0] * s * (1 - s);
          byW = s + through * byW;
          byB = 1 + through * byB;
          h = p[0] * s + p[1];
        }
        const said = sigmoid(h);
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
