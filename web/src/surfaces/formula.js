import { parse } from "./formula/parse.js";
import { pretty, python } from "./formula/print.js";
import { simplify } from "./formula/simplify.js";
import { compile } from "./formula/tape.js";
import { heightOf } from "./numbers.js";

/** What is drawn until something is typed. */
const EXAMPLE = "x^2/4 + y^2/2 + 2*cos(2*x + y)";

/** A formula that the user types. */
export const formula = {
  id: "formula",
  label: "Your formula",
  group: "Yours",
  note:
    "Type f in x and y with + − * / ^, sin cos tan asin acos atan sinh cosh tanh exp log sqrt abs sign " +
    "relu sigmoid softplus min max hypot pow, pi, e; 2x and 3(x + 1) multiply. The gradient comes by itself.",
  example: EXAMPLE,
  parameters: [{ name: "span", label: "Half width shown", default: 5, min: 0.1, max: 100, scale: "log" }],
  make({ span }, { formula: text }) {
    const typed = text.trim() ? text : EXAMPLE;
    const read = parse(typed);
    const tree = simplify(read, typed);
    const { f, gradient } = compile(tree);
    const box = [-span, span, -span, span];
    return {
      f,
      gradient,
      box,
      start: somewhere(f, gradient, span),
      minima: [],
      height: heightOf(f, box),
      expression: python(tree),
      text: pretty(read),
    };
  },
};

/** A point with a finite value and a slope, as far to the upper left as there is one. */
function somewhere(f, gradient, span) {
  const out = new Float64Array(2);
  for (let i = 0; i < 100; i++) {
    const p = [span * ((i % 10) * 0.17 - 0.8), span * (0.6 - Math.floor(i / 10) * 0.15)];
    gradient(p, out);
    if (Number.isFinite(f(...p)) && Math.hypot(...out) > 0 && Number.isFinite(Math.hypot(...out))) return p;
  }
  return [-0.8 * span, 0.6 * span];
}
