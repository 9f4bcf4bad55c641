import { FormulaError } from "./error.js";
import { aliases, constants, functions, variables } from "./functions.js";
import { tokens } from "./tokens.js";
import { unknown } from "./words.js";

const DEEPEST = 60;
const SIGNS = { "+": "add", "-": "sub", "*": "mul", "/": "div" };

/**
 * @typedef {{ kind: "number", value: number, at: number, end: number }
 *   | { kind: "variable", index: 0|1, at: number, end: number }
 *   | { kind: "call", name: string, of: Tree[], at: number, end: number }} Tree
 *   at and end: which characters of the text it comes from
 */

/**
 * The tree of a formula in x and y.
 *
 *     sum     = product (("+" | "-") product)*
 *     product = signed (("*" | "/") signed | power)*      a power alone: implicit multiplication
 *     signed  = ("-" | "+") signed | power
 *     power   = primary ("^" signed)?                     from the right; -x^2 is -(x^2)
 *     primary = number | constant | variable | "(" sum ")" | function "(" sum ("," sum)* ")"
 *
 * The sign * may be left out before a name or a parenthesis: 2x, 3(x + 1), x y, 2 sin(x). It may not be left
 * out before a number, nor after a division, since 1/2x can be read in two ways.
 *
 * @param {string} text not blank
 * @returns {Tree}
 * @throws {FormulaError}
 */
export function parse(text) {
  const parser = new Parser(text);
  const tree = parser.sum();
  if (parser.next.kind !== "end") parser.refuse();
  return tree;
}

const call = (name, of, at = of[0].at, end = of[of.length - 1].end) => ({ kind: "call", name, of, at, end });

class Parser {
  constructor(text) {
    this.text = text;
    this.tokens = tokens(text);
    this.position = 0;
    this.depth = 0;
  }

  get next() {
    return this.tokens[this.position];
  }

  is(...signs) {
    return this.next.kind === "sign" && signs.includes(this.next.value);
  }

  take() {
    return this.tokens[this.position++];
  }

  /** One level deeper; a formula nested without end would fill the stack. */
  nested(rule) {
    this.depth += 1;
    if (this.depth > DEEPEST) throw new FormulaError("This is nested too deeply.", this.next.at);
    const tree = rule();
    this.depth -= 1;
    return tree;
  }

  sum() {
    let tree = this.product();
    while (this.is("+", "-")) tree = call(SIGNS[this.take().value], [tree, this.product()]);
    return tree;
  }

  product() {
    let tree = this.signed();
    let divided = false;
    for (;;) {
      if (this.is("*", "/")) {
        const sign = this.take().value;
        divided = sign === "/";
        tree = call(SIGNS[sign], [tree, this.signed()]);
      } else if (this.is("(") || this.next.kind === "name") {
        if (divided) this.ambiguous(tree);
        tree = call("mul", [tree, this.power()]);
      } else {
        return tree;
      }
    }
  }

  signed() {
    if (!this.is("-", "+")) return this.power();
    const sign = this.take();
    const tree = this.nested(() => this.signed());
    return sign.value === "-" ? call("neg", [tree], sign.at) : tree;
  }

  power() {
    const base = this.primary();
    if (!this.is("^")) return base;
    this.take();
    return call("pow", [base, this.nested(() => this.signed())]);
  }

  primary() {
    const token = this.next;
    if (token.kind === "number") {
      this.take();
      return { kind: "number", value: token.value, at: token.at, end: token.at + token.length };
    }
    if (token.kind === "name") return this.named();
    if (!this.is("(")) this.refuse();
    this.take();
    const tree = this.nested(() => this.sum());
    const end = this.close(token);
    return { ...tree, at: token.at, end };
  }

  /** Past the closing parenthesis; returns where it ends. */
  close(open) {
    if (this.is(")")) return this.take().at + 1;
    if (this.next.kind !== "end") this.refuse();
    throw new FormulaError("This parenthesis is not closed.", open.at);
  }

  named() {
    const token = this.take();
    const end = token.at + token.length;
    const small = token.value.toLowerCase();
    const index = variables.indexOf(small);
    if (index >= 0) return { kind: "variable", index, at: token.at, end };
    const value = constants.get(small);
    if (value !== undefined) return { kind: "number", value, at: token.at, end };
    const name = aliases.get(small) ?? small;
    if (functions.has(name)) return this.applied(name, token);
    throw new FormulaError(unknown(token.value), token.at, token.length);
  }

  applied(name, token) {
    if (!this.is("(")) this.bare(name, token);
    const open = this.take();
    const of = [];
    if (!this.is(")")) {
      do of.push(this.nested(() => this.sum()));
      while (this.is(",") && this.take());
    }
    const end = this.close(open);
    const { takes, many } = functions.get(name);
    if (of.length !== takes && !(many && of.length > takes)) {
      const wants = takes === 1 ? "one argument" : many ? "two or more arguments" : "two arguments";
      const such = `${token.value}(${takes === 1 ? "x" : "x, y"})`;
      throw new FormulaError(`${token.value} takes ${wants}, such as ${such}.`, token.at, end - token.at);
    }
    return of.length === 1 ? call(name, of, token.at, end) : paired(name, of, token.at, end);
  }

  /** A function's name without its parentheses. */
  bare(name, token) {
    const such = `${token.value}(${functions.get(name).takes > 1 ? "x, y" : "x"})`;
    const text = this.is("^")
      ? `Write the power behind the argument, such as ${such}^2.`
      : `${token.value} needs its argument in parentheses, such as ${such}.`;
    throw new FormulaError(text, token.at, token.length);
  }

  ambiguous(tree) {
    const below = this.text.slice(tree.of[1].at, tree.of[1].end);
    const after = this.said(this.next) + (this.is("(") ? "…)" : "");
    throw new FormulaError(
      `After a division this can be read in two ways: write ${below}*${after} or (${below}*${after}).`,
      this.next.at, this.next.length,
    );
  }

  /** What stands here cannot stand here. */
  refuse() {
    const { kind, at, length } = this.next;
    const what = this.text.slice(at, at + length);
    const before = this.tokens[this.position - 1];
    if (kind === "end") throw new FormulaError(`Something is missing after “${this.said(before)}”.`, at);
    if (kind === "number") throw new FormulaError(`A sign such as * is missing before ${what}.`, at, length);
    if (what === ")" && (!before || before.kind === "sign")) {
      throw new FormulaError("Something is missing before this parenthesis.", at);
    }
    if (what === ")") throw new FormulaError("This parenthesis closes nothing.", at);
    if (what === ",") this.comma(before);
    throw new FormulaError(`Something is missing before “${what}”.`, at, length);
  }

  comma(before) {
    const after = this.tokens[this.position + 1];
    const decimal = before?.kind === "number" && after.kind === "number";
    const hint = decimal ? `; write ${before.value}.${this.said(after)} with a point` : "";
    throw new FormulaError(`A comma belongs between the arguments of a function${hint}.`, this.next.at);
  }

  said({ at, length }) {
    return this.text.slice(at, at + length);
  }
}

/** max(a, b, c) as max(max(a, b), c). */
function paired(name, of, at, end) {
  return of.slice(1).reduce((tree, next) => call(name, [tree, next], at, end), of[0]);
}
