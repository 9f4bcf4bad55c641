// Random formulas, for tests of properties. The same draws give the same formula.

const LEAVES = ["x", "y", "x", "y", "2", "0.5", "pi", "3", "1e-3", "e"];
const BETWEEN = [
  (a, b) => `(${a} + ${b})`,
  (a, b) => `${a} - (${b})`,
  (a, b) => `(${a})(${b})`,
  (a, b) => `(${a})/(1 + (${b})^2)`,
  (a, b) => `(1 + abs(${a}))^tanh(${b})`,
  (a, b) => `max(${a}, ${b})`,
  (a, b) => `min(${a}, ${b}, 1)`,
  (a, b) => `hypot(${a}, ${b})`,
];
const AROUND = [
  ...["-(#)", "(#)^2", "(#)^3", "2^sin(#)", "exp(-(#)^2)", "log(1 + (#)^2)", "sqrt(1 + (#)^2)"],
  ...["sin(#)", "cos(#)", "tan(tanh(#))", "asin(tanh(#)/2)", "acos(tanh(#)/2)", "atan(#)"],
  ...["sinh(tanh(#))", "cosh(tanh(#))", "tanh(#)", "abs(#)", "sign(#)", "relu(#)", "sigmoid(#)", "softplus(#)"],
];

/**
 * A formula that has a value everywhere.
 * @param {ReturnType<import("./random-states.mjs").drawing>} draw
 * @param {number} depth of the deepest part
 * @returns {string}
 */
export function randomFormula(draw, depth) {
  if (depth === 0 || draw.chance(0.15)) return draw.one(LEAVES);
  const part = () => randomFormula(draw, depth - 1);
  return draw.chance(0.35) ? draw.one(BETWEEN)(part(), part()) : draw.one(AROUND).replace("#", part);
}
