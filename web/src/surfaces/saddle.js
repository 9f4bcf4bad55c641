/** x² - y² with walls w y⁴ that end the way down; without walls it is the plain saddle. */
export const saddle = {
  id: "saddle",
  label: "Saddle",
  group: "Saddles and flats",
  note: "Up along x, down along y: a start almost on the ridge runs to the middle and waits there.",
  parameters: [
    { name: "walls", label: "Walls w in x² − y² + w y⁴", default: 0.5, min: 0, max: 1, scale: "linear" },
  ],
  make({ walls: w }) {
    const low = w > 0 ? 1 / Math.sqrt(2 * w) : Infinity;
    const half = Math.min(3, Math.max(1.5, 1.4 * low));
    return {
      f: (x, y) => x * x - y * y + w * y * y * y * y,
      gradient(p, out) {
        out[0] = 2 * p[0];
        out[1] = -2 * p[1] + 4 * w * p[1] * p[1] * p[1];
      },
      box: [-half, half, -half, half],
      start: [1.2, 0.001],
      minima: w > 0 ? [[0, low], [0, -low]] : [],
      height: "linear",
      expression: w > 0 ? `x**2 - y**2 + ${w}*y**4` : "x**2 - y**2",
    };
  },
};
