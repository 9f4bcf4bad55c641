import assert from "node:assert/strict";
import { test } from "node:test";

import { createSurface, FormulaError } from "../src/surfaces/index.js";

const typed = (formula) => createSurface("formula", {}, { formula });
const value = (formula, x = 1.3, y = 0.7) => typed(formula).f(x, y);
const near = (a, b) => assert.ok(Math.abs(a - b) <= 1e-14 * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

function slopes(formula, x, y) {
  const out = new Float64Array(2);
  typed(formula).gradient([x, y], out);
  return [...out];
}

test("precedence is that of mathematics", () => {
  const [x, y] = [1.3, 0.7];
  const meanings = {
    "1 + 2x": 1 + 2 * x,
    "-x^2": -(x * x),
    "(-x)^2": x * x,
    "2^3^2 + 0x": 512,
    "2^-x": 2 ** -x,
    "-2^2 + 0x": -4,
    "x - y - 1": x - y - 1,
    "x - (y - 1)": x - (y - 1),
    "x/y/2": x / y / 2,
    "x/(y/2)": x / (y / 2),
    "1/2*x": 0.5 * x,
    "x*-y": -x * y,
    "--x": x,
    "+x": x,
    "2^-x y": 2 ** -x * y,
    "x^2y": x * x * y,
    "x**2 * y**3": x ** 2 * y ** 3,
  };
  for (const [formula, meant] of Object.entries(meanings)) near(value(formula), meant);
});

test("a multiplication sign may be left out before a name or a parenthesis", () => {
  const [x, y] = [1.3, 0.7];
  const meanings = {
    "2x": 2 * x,
    "3(x + 1)": 3 * (x + 1),
    "(x + 1)(y - 2)": (x + 1) * (y - 2),
    "x(y + 1)": x * (y + 1),
    "x y": x * y,
    "2 sin(x) cos(y)": 2 * Math.sin(x) * Math.cos(y),
    "2pi x": 2 * Math.PI * x,
    "2e x": 2 * Math.E * x,
    "2e3x": 2000 * x,
    "2exp(x)": 2 * Math.exp(x),
  };
  for (const [formula, meant] of Object.entries(meanings)) near(value(formula), meant);
});

test("text from papers, other pages and Python is read too", () => {
  near(value("x² + 50·y²"), 1.3 ** 2 + 50 * 0.7 ** 2);
  near(value("x¹⁰ − π×y ÷ 2"), 1.3 ** 10 - (Math.PI * 0.7) / 2);
  near(value("torch.sin(x) + np.exp(y) - math.pi"), Math.sin(1.3) + Math.exp(0.7) - Math.PI);
  near(value("Sin(X) + LN(Y)"), Math.sin(1.3) + Math.log(0.7));
});

/** Each function, with its derivatives in closed form, at (x, y). */
const DERIVATIVES = {
  "sin(x)": (x) => [Math.cos(x), 0],
  "cos(x)": (x) => [-Math.sin(x), 0],
  "tan(x)": (x) => [1 / Math.cos(x) ** 2, 0],
  "asin(x)": (x) => [1 / Math.sqrt(1 - x * x), 0],
  "acos(x)": (x) => [-1 / Math.sqrt(1 - x * x), 0],
  "atan(x)": (x) => [1 / (1 + x * x), 0],
  "sinh(x)": (x) => [Math.cosh(x), 0],
  "cosh(x)": (x) => [Math.sinh(x), 0],
  "tanh(x)": (x) => [1 / Math.cosh(x) ** 2, 0],
  "exp(x)": (x) => [Math.exp(x), 0],
  "log(x)": (x) => [1 / x, 0],
  "sqrt(x)": (x) => [0.5 / Math.sqrt(x), 0],
  "abs(-x)": () => [1, 0],
  "sign(x)": () => [0, 0],
  "relu(x)": () => [1, 0],
  "relu(-x)": () => [0, 0],
  "sigmoid(x)": (x) => [Math.exp(-x) / (1 + Math.exp(-x)) ** 2, 0],
  "softplus(x)": (x) => [1 / (1 + Math.exp(-x)), 0],
  "min(x, y)": () => [1, 0],
  "max(x, y, 0.1)": () => [0, 1],
  "hypot(x, y)": (x, y) => [x / Math.hypot(x, y), y / Math.hypot(x, y)],
  "pow(x, y)": (x, y) => [y * x ** (y - 1), x ** y * Math.log(x)],
  "x^5": (x) => [5 * x ** 4, 0],
  "2^x": (x) => [2 ** x * Math.log(2), 0],
  "x/y": (x, y) => [1 / y, -x / y ** 2],
  "x*y - y + x": (x, y) => [y + 1, x - 1],
  "-(x^2)": (x) => [-2 * x, 0],
  "sin(x*y)^2 + sin(x*y)": (x, y) => {
    const outer = (2 * Math.sin(x * y) + 1) * Math.cos(x * y);
    return [outer * y, outer * x];
  },
  "exp(-hypot(x, y)^2) x": (x, y) => {
    const bell = Math.exp(-x * x - y * y);
    return [bell * (1 - 2 * x * x), -2 * x * y * bell];
  },
};

test("the derivatives are those of the closed forms", () => {
  for (const [formula, exact] of Object.entries(DERIVATIVES)) {
    for (const [x, y] of [[0.3, 0.8], [0.55, 0.9], [0.123, 0.456]]) {
      const found = slopes(formula, x, y);
      exact(x, y).forEach((slope, i) => {
        assert.ok(Math.abs(found[i] - slope) <= 1e-13 * Math.max(1, Math.abs(slope)), `${formula}: ${found}`);
      });
    }
  }
});

test("a power has its slope where the exponent is 0, too", () => {
  assert.deepEqual(slopes("2^x", 0, 0), [Math.log(2), 0]);
  assert.deepEqual(slopes("y^x", 0, 3), [Math.log(3), 0]);
  assert.ok(Number.isNaN(slopes("y^x", 0, -3)[0]), "a negative number has no power of 0.001");
  assert.deepEqual(slopes("y^(2x)", 1, 0), [0, 0]);
});

test("at a kink the slope is the documented one", () => {
  const kinks = {
    "abs(x)": [0, 0],
    "relu(x)": [0, 0],
    "sign(x)": [0, 0],
    "max(x, y)": [0.5, 0.5],
    "min(x, 0)": [0.5, 0],
    "hypot(x, y)": [0, 0],
    "x^y": [0, 0],
    "max(sqrt(x), 1)": [0, 0],
    "(x - 1)^max(2, y)": [-2, 0],
  };
  for (const [formula, slope] of Object.entries(kinks)) {
    assert.deepEqual(slopes(formula, 0, 0), slope, formula);
  }
});

test("where f is not a number, neither is thrown nor stays the last point's value", () => {
  const surface = typed("log(x) + sqrt(y)");
  const out = new Float64Array(2);
  near(surface.f(1, 4), 2);
  assert.ok(Number.isNaN(surface.f(-1, 4)));
  surface.gradient([-1, 4], out);
  assert.ok(Number.isNaN(out[0]) && out[1] === 0.25);
  surface.gradient([1, 4], out);
  assert.deepEqual([...out], [1, 0.25]);
  assert.equal(value("x^400", 1e10), Infinity);
});

test("the gradient belongs to the point asked for, whatever was evaluated before", () => {
  const surface = typed("x^2 y");
  const out = new Float64Array(2);
  for (const before of [[9, 9], [2, 9], [9, 3], [2, 3], [NaN, NaN]]) {
    surface.f(...before);
    surface.gradient([2, 3], out);
    assert.deepEqual([...out], [12, 4]);
  }
});

/** What is wrong, where, and a word that the sentence holds. */
const WRONG = [
  ["x +", 3, "missing after “+”"],
  ["sin x", 0, "in parentheses, such as sin(x)"],
  ["sin^2(x)", 0, "such as sin(x)^2"],
  ["x + xy", 4, "did you mean x*y"],
  ["sinx", 0, "did you mean sin(x)"],
  ["2 + sigmid(x)", 4, "did you mean sigmoid"],
  ["foo(x)", 0, "“foo”; the variables are x and y"],
  ["1/2x", 3, "write 2*x or (2*x)"],
  ["x/2(y)", 3, "two ways"],
  ["x 2", 2, "missing before 2"],
  ["(x + 1", 0, "not closed"],
  ["x)", 1, "closes nothing"],
  ["()", 1, "missing before this parenthesis"],
  ["3(", 2, "missing after “(”"],
  ["*x", 0, "missing before “*”"],
  ["x + 0,5", 5, "0.5 with a point"],
  ["max(x)", 0, "two or more arguments"],
  ["max x", 0, "such as max(x, y)"],
  ["x + sinn(x)", 4, "did you mean sin?"],
  ["hyot(x, y)", 0, "did you mean hypot"],
  ["hypoott(x, y)", 0, "did you mean hypot"],
  ["hwpnt(x, y)", 0, "did you mean hypot"],
  ["hwnt(x, y)", 0, "the variables are x and y"],
  ["sgn(x)", 0, "did you mean sin?"],
  ["to(x)", 0, "the variables are x and y"],
  ["sqxx(x)", 0, "the variables are x and y"],
  ["lnx", 0, "did you mean ln(x)"],
  ["abcdefghijklmnopqrst", 0, "“abcdefghijklmnopqrst”"],
  ["abcdefghijklmnopqrstu", 0, "“abcdefghijklmnopqrst…”"],
  ["sin(x, y)", 0, "one argument"],
  ["pow(x)", 0, "two arguments"],
  ["x = 3", 2, "without “f =”"],
  ["|x|", 0, "abs(x)"],
  ["x @ y", 2, "“@”"],
  ["x + 😀", 4, "“😀”"],
  ["x + 10^10^10", 4, "too large"],
  ["1e999", 0, "too large"],
  ["x + 1/0", 4, "divides by zero"],
  ["log(-1) x", 0, "not a number"],
  ["constructor", 0, "“constructor”"],
  ["__proto__", 0, "“__proto__”"],
  ["toString()", 0, "“toString”"],
  ["x.constructor", 1, "“.”"],
  ["hasOwnProperty(x)", 0, "“hasOwnProperty”"],
  ["x\u0000", 1, "don't know"],
  [`${"-".repeat(99)}x`, 61, "too deeply"],
  [`${"(".repeat(99)}x${")".repeat(99)}`, 61, "too deeply"],
  [`${"x^".repeat(99)}x`, 122, "too deeply"],
  [`${"sin(".repeat(70)}x${")".repeat(70)}`, 244, "too deeply"],
  [`x${"+x".repeat(300)}`, 400, "601 characters"],
];

test("an error says what is wrong, and where", () => {
  for (const [formula, position, words] of WRONG) {
    assert.throws(() => typed(formula), (error) => {
      assert.ok(error instanceof FormulaError, `${formula}: ${error.stack}`);
      assert.ok(error.message.includes(words), `${formula}: ${error.message}`);
      assert.equal(error.position, position, `${formula}: ${error.message}`);
      assert.ok(error.message.length < 120 && /^[^\n]*[.?]$/.test(error.message), error.message);
      return true;
    });
  }
});

test("an error marks what it is about", () => {
  const marked = {
    "x + foo(x)": "foo",
    "2 + max(x)": "max(x)",
    "1 - log(0) x": "log(0)",
    "x + 1e999": "1e999",
    [`x${"+x".repeat(300)}`]: "+x".repeat(300).slice(-201),
  };
  for (const [formula, part] of Object.entries(marked)) {
    assert.throws(() => typed(formula), ({ name, position, length }) => {
      assert.deepEqual([name, formula.slice(position, position + length)], ["FormulaError", part]);
      return true;
    });
  }
  assert.throws(() => typed("x)"), { position: 1, length: 1 });
  assert.throws(() => typed("x".padEnd(402)), { position: 400, length: 2 });
  near(value(`x${"+x".repeat(199)} `), 200 * 1.3);
});

test("the start is the first of a hundred points with a value and a slope, from the upper left", () => {
  const starts = {
    "x + y": [-4, 3],
    "log(x)": [0.25, 3],
    "log(-y)": [-4, -0.75],
    "relu(x - 2)": [2.8, 3],
    "sqrt(-1 - y) + 0x": [-4, -1.5],
    "3x^0": [-4, 3],
  };
  for (const [formula, start] of Object.entries(starts)) {
    typed(formula).start.forEach((at, i) => near(at, start[i]));
  }
  createSurface("formula", { span: 1 }, { formula: "7" }).start.forEach((at, i) => near(at, [-0.8, 0.6][i]));
});

test("many parts beside each other are not deep", () => {
  near(value("(x)".repeat(100) + "^2"), 1.3 ** 101);
  near(value("-x+".repeat(100) + "sin(x)"), -130 + Math.sin(1.3));
});

test("any text is either read or refused with a FormulaError", () => {
  const pieces = "x y 2 .5 1e5 + - * / ^ ** ( ) , sin max( π ² e #".split(" ").concat(" ");
  let state = 1;
  const pick = (n) => (state = (state * 48271) % 2147483647) % n;
  let read = 0;
  for (let i = 0; i < 20000; i++) {
    const formula = Array.from({ length: 1 + pick(9) }, () => pieces[pick(pieces.length)]).join("");
    try {
      const surface = typed(formula);
      surface.f(0.5, -0.5);
      read += 1;
    } catch (error) {
      assert.ok(error instanceof FormulaError, `${formula}: ${error.stack}`);
      assert.ok(error.position >= 0 && error.position <= formula.length, formula);
    }
  }
  assert.ok(read > 500, `${read} were read`);
});

test("a formula without a sign of life is the example", () => {
  assert.equal(typed("  ").text, "x²/4 + y²/2 + 2cos(2x + y)");
});

test("the text and the Python of a formula mean the same as the formula", () => {
  const formulas = [
    "(1-x)^2 + 100(y-x^2)^2", "x - (y - 1)", "x/(y/2)", "(x/y)/2", "sin(x)/2*x", "-(x + y)^2", "2^(-x)",
    "(x^2)^y", "x^(y^2)", "(-2)^2 x", "1/(x*y)", "(x + y)(x - y)", "3", "--x", "2pi x", "x*(y*2)", "x*(-y)",
    "max(x, y, 1) + min(x, 2)", "0 - x", "0 + x", "1*x/1 - 0", "x^0 + x^1", "x - -y", "1e-7x", "1e21x y",
  ];
  for (const formula of formulas) {
    const surface = typed(formula);
    near(value(surface.text), value(formula)); // what is shown can be typed again
    const torch = surface.expression.replace(/torch\.full_like\(x, ([^)]*)\)/g, "$1").replace("0*x + ", "");
    near(value(torch), value(formula));
  }
});

test("the tape shares equal parts, and constants are worked out", async () => {
  const { parse } = await import("../src/surfaces/formula/parse.js");
  const { simplify } = await import("../src/surfaces/formula/simplify.js");
  const { compile } = await import("../src/surfaces/formula/tape.js");
  const length = (text) => compile(simplify(parse(text), text)).length;
  assert.equal(length("x + 2*3 - 6"), 2);
  assert.deepEqual(["x/1", "x^1", "1*x", "x*1", "x - 0", "0 + x", "--x"].map(length), Array(7).fill(0));
  assert.equal(length("sin(x*y) + cos(x*y) + (x*y)^2"), 6);
  assert.equal(length("2*pi*sqrt(4) + 0*1"), 0);
});
