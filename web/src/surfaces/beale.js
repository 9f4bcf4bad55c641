/** Beale's function: three squares, flat far from the axes, steep in the corners. Beale 1958. */
export const beale = {
  id: "beale",
  label: "Beale",
  group: "Classics",
  note: "Walls in the corners, a flat middle: one rate is too large for the one and too small for the other.",
  parameters: [],
  make: () => ({
    f(x, y) {
      const y2 = y * y;
      const a = 1.5 - x + x * y;
      const b = 2.25 - x + x * y2;
      const c = 2.625 - x + x * y2 * y;
      return a * a + b * b + c * c;
    },
    gradient(p, out) {
      const x = p[0];
      const y = p[1];
      const y2 = y * y;
      const y3 = y2 * y;
      const a = 2 * (1.5 - x + x * y);
      const b = 2 * (2.25 - x + x * y2);
      const c = 2 * (2.625 - x + x * y3);
      out[0] = a * (y - 1) + b * (y2 - 1) + c * (y3 - 1);
      out[1] = x * (a + 2 * b * y + 3 * c * y2);
    },
    box: [-4.5, 4.5, -4.5, 4.5],
    start: [1, 1.5],
    minima: [[3, 0.5]],
    height: "log",
    expression: "(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2",
  }),
};
