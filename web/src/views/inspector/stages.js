// The stages of a step in the order in which the library runs them, each line in symbols and in numbers.

import { h } from "../../ui/dom.js";
import { letter, math } from "./math.js";
import { exact, figure } from "./numbers.js";
import { parse } from "./parse.js";

const RESULTS = { step: "step", g: "g" };

/**
 * @param {{ stages: any[] }} told @param {{ coordinate: number, position: string }} look
 * @returns {HTMLElement}
 */
export const stages = ({ stages: all }, look) =>
  h(
    "ol",
    { class: "inspector-stages" },
    ...all.filter((stage) => stage.rule !== "keep").map((one) => item(one, look)),
  );

function item(one, look) {
  const head = h("h3", null, titleOf(one), h("span", { class: "soft" }, ` ${remark(one)}`));
  if (one.idle && one.on !== "rule") return h("li", { class: "idle" }, head);
  return h(
    "li",
    null,
    head,
    h("div", { class: "inspector-lines" }, ...one.lines.flatMap((line) => rows(line, look))),
  );
}

const TITLES = { coupled: "decay, coupled", decoupled: "decay, decoupled", descend: "descend" };
const titleOf = ({ title, rule }) => TITLES[rule] ?? title;

/** What a stage did, in a few words. */
function remark({ idle, on, doc, output, sums, rule }) {
  if (idle && on !== "rule") return "changes nothing here";
  if (rule === "descend") return "";
  if (rule === "clipped_norm") {
    const length = Math.sqrt(sums.total);
    return `scales g by ${figure(Math.hypot(...output) / length, 3)}: its length is ${figure(length, 3)}`;
  }
  return doc.replace(/\.$/, "");
}

/** A formula in one line, for those who hear it. */
const source = (tokens) => tokens.map(({ text }) => text).join("");

/** A line twice: in symbols, and with the numbers put in. */
function rows({ name, tokens, values }, look) {
  const tree = parse(tokens);
  const value = values[look.coordinate];
  const result = h("strong", { class: "number", title: exact(value) }, figure(value));
  const end = h("span", { class: "term" }, "= ", result);
  const bare = tree.kind === "name";
  return [
    h("span", { class: "lhs" }, letter(name in RESULTS ? RESULTS[name] : name, look)),
    h("span", { class: "sign" }, "←"),
    h(
      "span",
      { class: "rhs", role: "math", "aria-label": source(tokens) },
      math(tree, { ...look, numbers: false }),
    ),
    h("span"),
    h("span", { class: "sign" }, "="),
    h("span", { class: "filled" }, ...(bare ? [result] : [math(tree, { ...look, numbers: true }), " ", end])),
  ];
}
