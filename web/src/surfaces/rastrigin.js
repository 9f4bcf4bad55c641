const TURN = 2 * Math.PI;

/** Rastrigin's function: a bowl with ripples of height A. Rastrigin 1974. */
export const rastrigin = {
  id: "rastrigin",
  label: "Rastrigin",
  group: "Classics",
  note: "A bowl full of local minima: small steps stop in the first; large steps, speed or noise leave it.",
  parameters: [{ name: "ripple", label: "Ripple A", default: 10, min: 0, max: 10, scale: "linear" }],
  make({ ripple: a }) {
    return {
      f: (x, y) => x * x + y * y + a * (2 - Math.cos(TURN * x) - Math.cos(TURN * y)),
      gradient(p, out) {
        out[0] = 2 * p[0] + a * TURN * Math.sin(TURN * p[0]);
        out[1] = 2 * p[1] + a * TURN * Math.sin(TURN * p[1]);
      },
      box: [-5.12, 5.12, -5.12, 5.12],
      start: [-3.7, 2.6],
      minima: [[0, 0]],
      height: "linear",
      expression: `x**2 + y**2 + ${a}*(2 - torch.cos(2*torch.pi*x) - torch.cos(2*torch.pi*y))`,
    };
  },
};
