/** Himmelblau's function: four minima, all of height 0. Himmelblau 1972. */
export const himmelblau = {
  id: "himmelblau",
  label: "Himmelblau",
  group: "Classics",
  note: "Four minima, equally deep: from one start, rules that differ a little end in different ones.",
  parameters: [],
  make: () => ({
    f(x, y) {
      const a = x * x + y - 11;
      const b = x + y * y - 7;
      return a * a + b * b;
    },
    gradient(p, out) {
      const a = 2 * (p[0] * p[0] + p[1] - 11);
      const b = 2 * (p[0] + p[1] * p[1] - 7);
      out[0] = 2 * p[0] * a + b;
      out[1] = a + 2 * p[1] * b;
    },
    box: [-6, 6, -6, 6],
    start: [-0.2, 0.7],
    minima: [
      [3, 2],
      [-2.805118086952745, 3.131312518250573],
      [-3.779310253377747, -3.283185991286169],
      [3.584428340330492, -1.848126526964404],
    ],
    height: "log",
    expression: "(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
  }),
};
