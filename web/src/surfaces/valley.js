/** A narrow valley that winds: k (y - sin(bx))² + (x - 3)²/10. */
export const valley = {
  id: "valley",
  label: "Winding valley",
  group: "Ravines",
  note: "The floor keeps turning, so speed gathered on one stretch runs into the wall of the next.",
  parameters: [
    { name: "narrowness", label: "Narrowness k", default: 10, min: 1, max: 200, scale: "log" },
    { name: "bends", label: "Bends b", default: 1.5, min: 0, max: 3, scale: "linear" },
  ],
  make({ narrowness: k, bends: b }) {
    return {
      f(x, y) {
        const across = y - Math.sin(b * x);
        return k * across * across + 0.1 * (x - 3) * (x - 3);
      },
      gradient(p, out) {
        const across = 2 * k * (p[1] - Math.sin(b * p[0]));
        out[0] = 0.2 * (p[0] - 3) - b * Math.cos(b * p[0]) * across;
        out[1] = across;
      },
      box: [-4.5, 4.5, -4, 4],
      start: [-3.6, 2.2],
      minima: [[3, Math.sin(3 * b)]],
      height: "log",
      expression: `${k}*(y - torch.sin(${b}*x))**2 + 0.1*(x - 3)**2`,
    };
  },
};
