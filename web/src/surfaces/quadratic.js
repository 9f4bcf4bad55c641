/** A bowl of chosen condition number: x² + κ y², turned by an angle. */
export const quadratic = {
  id: "quadratic",
  label: "Quadratic ravine",
  group: "Ravines",
  note: "x² + κy²: a rate small enough for the steep walls is far too small for the long floor.",
  parameters: [
    { name: "condition", label: "Condition number κ", default: 50, min: 1, max: 1000, scale: "log" },
    { name: "rotation", label: "Rotation, degrees", default: 0, min: 0, max: 90, scale: "linear" },
  ],
  make({ condition: k, rotation }) {
    const c = rotation === 90 ? 0 : Math.cos((rotation * Math.PI) / 180);
    const s = Math.sin((rotation * Math.PI) / 180);
    return {
      f(x, y) {
        const u = c * x + s * y;
        const v = c * y - s * x;
        return u * u + k * v * v;
      },
      gradient(p, out) {
        const u = 2 * (c * p[0] + s * p[1]);
        const v = 2 * k * (c * p[1] - s * p[0]);
        out[0] = c * u - s * v;
        out[1] = s * u + c * v;
      },
      box: [-5, 5, -5, 5],
      start: [-4.2 * c - 1.6 * s, -4.2 * s + 1.6 * c],
      minima: [[0, 0]],
      height: "log",
      expression: rotation
        ? `(${c}*x + ${s}*y)**2 + ${k}*(${c}*y - ${s}*x)**2`
        : `x**2 + ${k}*y**2`,
    };
  },
};
