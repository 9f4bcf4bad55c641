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
  const head = h("h4", null, titleOf(one), h("span", { class: "soft" }, ` ${remark(one)}`));
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
function remark({ idle, on, doc, input, output, sums, rule }) {
  if (idle && on !== "rule") return "changes nothing here";
  if (rule === "descend") return "";
  const factor = output[0] / input[0];
  if (rule === "clipped_norm")
    return `scales g by ${figure(factor, 3)}: its length is ${figure(Math.sqrt(sums.total), 3)}`;
  return doc.replace(/\.$/, "");
}

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
    h("span", { class: "rhs" }, math(tree, { ...look, numbers: false })),
    h("span"),
    h("span", { class: "sign" }, "="),
    h("span", { class: "filled" }, ...(bare ? [result] : [math(tree, { ...look, numbers: true }), " ", end])),
  ];
}
