/** Rosenbrock's function (a - x)² + b (y - x²)². Rosenbrock 1960, doi 10.1093/comjnl/3.3.175. */
export const rosenbrock = {
  id: "rosenbrock",
  label: "Rosenbrock",
  group: "Ravines",
  note: "Every rule is on the valley's floor in a few steps; the way along it, which bends, takes the time.",
  parameters: [
    { name: "a", label: "Minimum at x = a", default: 1, min: 0, max: 1.5, scale: "linear" },
    { name: "b", label: "Steepness b", default: 100, min: 1, max: 1000, scale: "log" },
  ],
  make({ a, b }) {
    return {
      f(x, y) {
        const along = a - x;
        const across = y - x * x;
        return along * along + b * across * across;
      },
      gradient(p, out) {
        const across = 2 * b * (p[1] - p[0] * p[0]);
        out[0] = 2 * (p[0] - a) - 2 * p[0] * across;
        out[1] = across;
      },
      box: [-2.2, 2.2, -1.2, 3.2],
      start: [-1.5, 2.4],
      minima: [[a, a * a]],
      height: "log",
      expression: `(${a} - x)**2 + ${b}*(y - x**2)**2`,
    };
  },
};
