import { sigmoid } from "./numbers.js";

const INPUTS = [-1, 0.5, 2];
const BEST = [1.5, 0.5];

/** The squared error of a sigmoid unit σ(wx + b) on three samples that the unit (1.5, 0.5) fits exactly. */
export const plateau = {
  id: "plateau",
  label: "Plateau",
  group: "Saddles and flats",
  note: "A saturated sigmoid unit is wrong and hardly has a gradient; larger inputs saturate it sooner.",
  parameters: [{ name: "scale", label: "Scale of the inputs", default: 2, min: 0.5, max: 4, scale: "log" }],
  make({ scale }) {
    const a = INPUTS.map((x) => scale * x);
    const t = a.map((x) => sigmoid(BEST[0] * x + BEST[1]));
    const squares = a.map((x, i) => `(torch.sigmoid(${x}*x + y) - ${t[i]})**2`);
    return {
      names: ["w", "b"],
      f(w, b) {
        let sum = 0;
        for (let i = 0; i < 3; i++) {
          const wrong = sigmoid(w * a[i] + b) - t[i];
          sum += wrong * wrong;
        }
        return sum / 3;
      },
      gradient(p, out) {
        let w = 0;
        let b = 0;
        for (let i = 0; i < 3; i++) {
          const said = sigmoid(p[0] * a[i] + p[1]);
          const slope = (said - t[i]) * said * (1 - said);
          w += slope * a[i];
          b += slope;
        }
        out[0] = (2 / 3) * w;
        out[1] = (2 / 3) * b;
      },
      box: [-4.5, 4.5, -4, 4],
      start: [-3, -2],
      minima: [BEST],
      height: "linear",
      expression: `(${squares.join(" + ")})/3`,
    };
  },
};
