/** The monkey saddle x³ - 3xy², three ways down and three up, with walls w r⁴ that end the ways down. */
export const monkey = {
  id: "monkey",
  label: "Monkey saddle",
  group: "Saddles and flats",
  note: "In the middle the curvature is zero in every direction: even Newton's method has nothing to go by.",
  parameters: [
    { name: "walls", label: "Walls w in x³ − 3xy² + w r⁴", default: 0.5, min: 0, max: 1, scale: "linear" },
  ],
  make({ walls: w }) {
    const r = w > 0 ? 3 / (4 * w) : Infinity;
    const half = Math.min(3, Math.max(1.2, 1.3 * r));
    const height = (r * Math.sqrt(3)) / 2;
    return {
      f(x, y) {
        const square = x * x + y * y;
        return x * x * x - 3 * x * y * y + w * square * square;
      },
      gradient(p, out) {
        const square = p[0] * p[0] + p[1] * p[1];
        out[0] = 3 * (p[0] * p[0] - p[1] * p[1]) + 4 * w * square * p[0];
        out[1] = -6 * p[0] * p[1] + 4 * w * square * p[1];
      },
      box: [-half, half, -half, half],
      start: [0.75 * half, 0.02],
      minima: w > 0 ? [[-r, 0], [r / 2, height], [r / 2, -height]] : [],
      height: "linear",
      expression: `x**3 - 3*x*y**2${w > 0 ? ` + ${w}*(x**2 + y**2)**2` : ""}`,
    };
  },
};
