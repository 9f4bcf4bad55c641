/**
 * A surface with the penalty l1 (|x| + |y|) + l2/2 (x² + y²), so that l2 adds l2·p to the gradient, as
 * weight decay does. At a kink the gradient is the subgradient with sign(0) = 0.
 *
 * @param {import("./index.js").Surface} surface
 * @param {{ l1?: number, l2?: number }} strengths
 * @returns {import("./index.js").Surface & { penalty: (x: number, y: number) => number }} with the penalty
 *   alone, for its contours; the minima of the sum are not known
 */
export function withPenalty(surface, { l1 = 0, l2 = 0 }) {
  const penalty = (x, y) => l1 * (Math.abs(x) + Math.abs(y)) + 0.5 * l2 * (x * x + y * y);
  const add = (p, out) => {
    for (let i = 0; i < 2; i++) out[i] += l1 * Math.sign(p[i]) + l2 * p[i];
  };
  const term = `${l1}*(abs(x) + abs(y)) + ${l2 / 2}*(x**2 + y**2)`;
  return {
    ...surface,
    penalty,
    f: (x, y) => surface.f(x, y) + penalty(x, y),
    gradient(p, out) {
      surface.gradient(p, out);
      add(p, out);
    },
    batch(p, indices, out) {
      surface.batch(p, indices, out);
      add(p, out);
    },
    minima: l1 || l2 ? [] : surface.minima,
    expression: surface.expression && `${surface.expression} + ${term}`,
    sampleExpression: surface.sampleExpression && `${surface.sampleExpression} + ${term}`,
  };
}
