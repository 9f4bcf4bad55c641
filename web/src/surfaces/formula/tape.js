import { functions, operators } from "./functions.js";

// A formula as a list of operations on numbered places: x is place 0, y is place 1, then the constants, then
// one place for the result of each operation. Equal parts share a place. A run over the list gives f; a run
// back over it, with the derivative of each operation, gives both derivatives at once (reverse mode).

const NAMES = [...operators.keys(), ...functions.keys()];
const CODE = new Map(NAMES.map((name, code) => [name, code]));
const SIGNS = ["add", "sub", "mul", "div", "neg", "square"];
const [ADD, SUB, MUL, DIV, NEG, SQUARE] = SIGNS.map((name) => CODE.get(name));
const OPERATIONS = NAMES.map((name) => operators.get(name) ?? functions.get(name));
const VALUES = OPERATIONS.map(({ value }) => value);
const FIRST = OPERATIONS.map(({ first }) => first);
const SECOND = OPERATIONS.map(({ second }) => second);

/** The places and operations of a tree. */
function list(tree) {
  const constants = new Map();
  const places = new Map();
  const operations = [];
  const number = (value) => {
    if (!constants.has(value)) constants.set(value, constants.size);
    return `c${constants.get(value)}`;
  };
  const place = (part) => {
    if (part.kind === "variable") return `v${part.index}`;
    if (part.kind === "number") return number(part.value);
    const of = part.of.map(place);
    const key = `${part.name} ${of}`;
    if (!places.has(key)) {
      places.set(key, `r${operations.length}`);
      operations.push([CODE.get(part.name), ...of]);
    }
    return places.get(key);
  };
  const result = place(tree);
  const starts = { v: 0, c: 2, r: 2 + constants.size };
  const index = (name) => starts[name[0]] + Number(name.slice(1));
  return { constants: [...constants.keys()], operations, index, result: index(result) };
}

/**
 * The function of a tree and its gradient; neither allocates.
 *
 * @param {import("./parse.js").Tree} tree
 * @returns {{ f: (x: number, y: number) => number,
 *   gradient: (p: ArrayLike<number>, out: Float64Array) => void, length: number }} length: operations
 */
export function compile(tree) {
  const { constants, operations, index, result } = list(tree);
  const first = 2 + constants.length;
  const count = operations.length;
  const v = new Float64Array(first + count); // the value at each place
  v.set(constants, 2);
  v[0] = NaN; // no point has been evaluated
  const tape = {
    code: Uint8Array.from(operations, ([code]) => code),
    left: Uint16Array.from(operations, ([, a]) => index(a)),
    right: Uint16Array.from(operations, ([, a, b]) => index(b ?? a)),
    binary: Uint8Array.from(operations, ([, , b]) => (b === undefined ? 0 : 1)),
    v,
    d: new Float64Array(first + count), // the derivative of the result by each place
    first,
  };

  function f(x, y) {
    v[0] = x;
    v[1] = y;
    forward(tape);
    return v[result];
  }

  function gradient(p, out) {
    if (v[0] !== p[0] || v[1] !== p[1]) f(p[0], p[1]);
    tape.d.fill(0);
    tape.d[result] = 1;
    back(tape);
    out[0] = tape.d[0];
    out[1] = tape.d[1];
  }

  return { f, gradient, length: count };
}

// The signs are most of a formula, and are done in place: a call through a table takes longer than they do.

/** The value of every operation, in order. */
function forward({ code, left, right, v, first }) {
  for (let i = 0; i < code.length; i++) {
    const a = v[left[i]];
    const b = v[right[i]];
    const op = code[i];
    if (op === MUL) v[first + i] = a * b;
    else if (op === ADD) v[first + i] = a + b;
    else if (op === SUB) v[first + i] = a - b;
    else if (op === SQUARE) v[first + i] = a * a;
    else if (op === DIV) v[first + i] = a / b;
    else if (op === NEG) v[first + i] = -a;
    else v[first + i] = VALUES[op](a, b);
  }
}

/** The derivatives, from the last operation to the first. */
function back({ code, left, right, binary, v, d, first }) {
  for (let i = code.length - 1; i >= 0; i--) {
    const above = d[first + i];
    if (above === 0) continue; // what does not count adds nothing, even where its own slope is infinite
    const l = left[i];
    const r = right[i];
    const op = code[i];
    if (op === ADD) {
      d[l] += above;
      d[r] += above;
    } else if (op === SUB) {
      d[l] += above;
      d[r] -= above;
    } else if (op === MUL) {
      d[l] += above * v[r];
      d[r] += above * v[l];
    } else if (op === SQUARE) {
      d[l] += 2 * above * v[l];
    } else {
      d[l] += passed(above, FIRST[op](v[first + i], v[l], v[r]));
      if (binary[i]) d[r] += passed(above, SECOND[op](v[first + i], v[l], v[r]));
    }
  }
}

/** What reaches an argument: nothing where its slope is 0, even where the derivative above is infinite. */
const passed = (above, slope) => (slope === 0 ? 0 : above * slope);
