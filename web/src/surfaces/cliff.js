import { sigmoid } from "./numbers.js";

/** A gentle slope that ends at the foot of a steep wall: (x-2)²/10 + y²/10 + h σ(k (x + y/5)). */
export const cliff = {
  id: "cliff",
  label: "Cliff",
  group: "Saddles and flats",
  note: "At the foot of the wall one exploding gradient throws the weights far back, unless it is clipped.",
  parameters: [
    { name: "steepness", label: "Steepness k", default: 30, min: 2, max: 100, scale: "log" },
    { name: "height", label: "Height h", default: 4, min: 0, max: 10, scale: "linear" },
  ],
  make({ steepness: k, height: h }) {
    const surface = {
      f: (x, y) => 0.1 * (x - 2) * (x - 2) + 0.1 * y * y + h * sigmoid(k * (x + 0.2 * y)),
      gradient(p, out) {
        const up = sigmoid(k * (p[0] + 0.2 * p[1]));
        const wall = h * k * up * (1 - up);
        out[0] = 0.2 * (p[0] - 2) + wall;
        out[1] = 0.2 * p[1] + 0.2 * wall;
      },
      box: [-4, 2.5, -3.25, 3.25],
      start: [-3, 1.6],
      height: "linear",
      expression: `0.1*(x - 2)**2 + 0.1*y**2 + ${h}*torch.sigmoid(${k}*(x + 0.2*y))`,
    };
    const low = Math.min(...foot(k, h).map(([x, y]) => surface.f(x, y)));
    return { ...surface, minima: foot(k, h).filter(([x, y]) => surface.f(x, y) === low) };
  },
};

/**
 * The minima, local ones too: there the wall's gradient is along (1, 1/5), so that y = (x - 2)/5, and one
 * equation in x is left. Its roots are bracketed on a fine grid and bisected; every second one is a minimum.
 */
function foot(k, h) {
  const slope = (x) => {
    const up = sigmoid(k * (1.04 * x - 0.08));
    return 0.2 * (x - 2) + h * k * up * (1 - up);
  };
  const found = [];
  for (let i = 0; i < 1200; i++) {
    let low = -4 + i * 0.005;
    let high = low + 0.005;
    if (i === 1199) high = 2.5;
    if (!(slope(low) < 0 && slope(high) >= 0)) continue;
    for (let n = 0; n < 60; n++) {
      const middle = (low + high) / 2;
      if (slope(middle) < 0) low = middle;
      else high = middle;
    }
    found.push([high, (high - 2) / 5]);
  }
  return found;
}
