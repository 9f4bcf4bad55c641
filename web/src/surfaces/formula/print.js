import { functions } from "./functions.js";

const SUM = 1;
const PRODUCT = 2;
const SIGN = 3;
const POWER = 4;
const ATOM = 5;
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A formula as a person writes it: (1 − x)² + 100(y − x²)². */
const PRETTY = {
  variables: ["x", "y"],
  minus: "−",
  number: (value) => named(value) ?? String(value).replace(/^-/, "−"),
  times: (a, b) => (/^[\d.]+π?$/.test(a) && !/^[\d.−]/.test(b) ? `${a}${b}` : `${a}·${b}`),
  over: "/",
  power: (a, b) => (/^\d+$/.test(b) ? a + [...b].map((digit) => RAISED[digit]).join("") : `${a}^${b}`),
  call: (name, of) => `${name}(${of.map(([text]) => text).join(", ")})`,
};

/** A formula as Python over tensors x and y. */
const PYTHON = {
  variables: ["x", "y"],
  minus: "-",
  number: String,
  times: (a, b) => `${a}*${b}`,
  over: "/",
  power: (a, b) => `${a}**${b}`,
  call: torchCall,
};

function named(value) {
  return value === Math.PI ? "π" : value === Math.E ? "e" : null;
}

function torchCall(name, of) {
  const tensor = of.find(([, part]) => part.kind !== "number")[0];
  const tensors = of.map(([text, part]) => (part.kind === "number" ? `torch.full_like(x, ${text})` : text));
  // torch's own softplus is cut off at 20.
  if (name === "softplus") return `torch.logaddexp(${tensor}, torch.zeros_like(x))`;
  return `torch.${functions.get(name).python ?? name}(${tensors.join(", ")})`;
}

/** The text of a tree, and how tightly its outermost sign binds. */
function write(tree, style) {
  if (tree.kind === "variable") return [style.variables[tree.index], ATOM];
  if (tree.kind === "number") return [style.number(tree.value), tree.value < 0 ? SIGN : ATOM];
  const at = (i, least) => {
    const [text, level] = write(tree.of[i], style);
    return level < least ? `(${text})` : text;
  };
  switch (tree.name) {
    case "add":
      return [`${at(0, SUM)} + ${at(1, PRODUCT)}`, SUM];
    case "sub":
      return [`${at(0, SUM)} ${style.minus} ${at(1, PRODUCT)}`, SUM];
    case "mul":
      return [style.times(at(0, PRODUCT), at(1, POWER)), PRODUCT];
    case "div":
      return [`${at(0, PRODUCT)}${style.over}${at(1, POWER)}`, PRODUCT];
    case "neg":
      return [`${style.minus}${at(0, PRODUCT)}`, SIGN];
    case "square":
      return [style.power(at(0, ATOM), "2"), POWER];
    case "pow":
      return [style.power(at(0, ATOM), at(1, ATOM)), POWER];
    default:
      return [style.call(tree.name, tree.of.map((part) => [write(part, style)[0], part])), ATOM];
  }
}

/** The formula for a person to read. @param {import("./parse.js").Tree} tree */
export const pretty = (tree) => write(tree, PRETTY)[0];

/** The formula as Python over tensors x and y, with torch. @param {import("./parse.js").Tree} tree */
export const python = (tree) =>
  tree.kind === "number" ? `0*x + ${tree.value}` : write(tree, PYTHON)[0];
