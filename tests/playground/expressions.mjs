// Every surface at several settings, and some formulas: its Python, and value and gradient at random points.
import { createSurface, surfaces } from "../../web/src/surfaces/index.js";
import { random } from "../../web/src/surfaces/random.js";
import { randomFormula } from "../../web/test/random-formulas.mjs";
import { drawing } from "../../web/test/random-states.mjs";

const FORMULAS = [
  "(1 - x)^2 + 100(y - x^2)^2",
  "x² + 50y²",
  "sin(x) cos(2y) + tan(x/4)",
  "asin(x/9) + acos(y/9) + atan(x y)",
  "sinh(x/2) + cosh(y) - tanh(x y)",
  "exp(-x^2 - y^2) + log(x^2 + 1) + sqrt(y^2 + 2)",
  "abs(x) + sign(y) x + relu(x - y)",
  "sigmoid(3x) + softplus(30x) + softplus(-y)",
  "max(x, y, 1) + min(x, 2, -y)",
  "max(0, x) + pow(y, 3)",
  "hypot(x, y) + hypot(x, 3)",
  "2^x + (x^2 + 1)^y + x^-2 + x^5",
  "1/(1 + x^2) - 2/y - x/y/3",
  "-(x + y)^2 - -x + 2pi y + e^x",
  "x - (y - (x - 1)) + x/(y/(x/2))",
  "(x + y)(x - y)(-2)",
  "7",
];

const draw = random(21);

function setting(family) {
  const values = {};
  for (const { name, min, max, scale } of family.parameters) {
    const u = draw.uniform();
    values[name] = scale === "log" ? min * (max / min) ** u : min + u * (max - min);
  }
  return values;
}

const LATTICE = [[0, 0], [0, 1], [1, 0], [1, 1], [-1, 2], [0, -2]]; // where formulas have kinks and powers of 0

const anywhere = ([x0, x1, y0, y1]) => [x0 + (x1 - x0) * draw.uniform(), y0 + (y1 - y0) * draw.uniform()];

function measured(surface) {
  const out = new Float64Array(2);
  const places = Array.from({ length: 12 }, () => anywhere(surface.box));
  const points = [...places, ...(surface.id === "formula" ? LATTICE : [])].map((p) => {
    surface.gradient(p, out);
    const indices = surface.samples ? [0, 3, 3, 7] : null;
    const batch = new Float64Array(2);
    if (indices) surface.batch(p, indices, batch);
    return { p, f: surface.f(...p), gradient: [...out], indices, batch: [...batch] };
  });
  const { id, expression, sampleExpression = null } = surface;
  return { id, expression, sampleExpression, points };
}

const analytic = surfaces.filter(({ id }) => id !== "formula" && id !== "slice");
const made = analytic.flatMap((family) => [
  createSurface(family.id),
  ...Array.from({ length: 4 }, () => createSurface(family.id, setting(family))),
]);
const drawn = Array.from({ length: 200 }, (_, seed) => randomFormula(drawing(seed), 1 + (seed % 4)));
const typed = [...FORMULAS, ...drawn].map((formula) => createSurface("formula", {}, { formula }));
process.stdout.write(JSON.stringify([...made, ...typed].map(measured)));
