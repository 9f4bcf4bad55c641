import { transforms } from "../generated/library.js";
import { about } from "./about.js";
import { h } from "./dom.js";
import { checkField } from "./fields.js";
import { optionFields } from "./optionfields.js";
import { withOption } from "./options.js";
import { section } from "./section.js";

/**
 * In the order in which they act on a step; a person reads what they do, and the name in the code beside it.
 */
export const PARTS = [
  ["guard", "Skip a step with NaN"],
  ["clip_norm", "Clip by norm"],
  ["clip_value", "Clip by value"],
  ["coupled_decay", "L2 in the gradient"],
  ["l1_penalty", "L1 penalty"],
  ["elastic_net_penalty", "Elastic net penalty"],
  ["decoupled_decay", "Decoupled decay"],
  ["trust_ratio", "Trust ratio"],
  ["l1_prox", "L1, proximal step"],
  ["elastic_net_prox", "Elastic net, proximal step"],
];
const ORDER = PARTS.map(([name]) => name);

/**
 * What is done to the gradient and the step besides the algorithm: each can be switched on, with its numbers.
 *
 * @param {import("../app.js").App} app
 * @param {number} index
 */
export function transformFields(app, index) {
  const fields = PARTS.map(([name, label]) => part(app, index, name, label));
  return section("Clipping, decay and penalties", fields);
}

function part(app, index, name, label) {
  const specs = transforms[name].arguments.filter((spec) => spec.name !== "policy");
  const all = () => app.state.racers[index].transforms;
  const mine = () => all().find((each) => each.name === name);
  const others = () => all().filter((each) => each.name !== name);
  const toggle = (on) =>
    app.setRacer(index, { transforms: on ? placed(others(), first(name)) : others() });
  const check = checkField({ label, field: `transform.${name}`, onchange: toggle });
  const change = (key, value) =>
    app.setRacer(index, {
      transforms: all().map((each) => (each === mine() ? changed(each, specs, key, value) : each)),
    });
  const fields = optionFields(specs, `transform.${name}`, (key) => mine()?.options[key], change, {
    owner: label,
  });
  const numbers = h(
    "div",
    { class: "numbers" },
    about(transforms[name]),
    fields.map((field) => field.element),
  );
  const element = h("div", { class: "part" }, check.element, numbers);
  const update = () => {
    check.update(mine() !== undefined);
    numbers.hidden = !mine();
    if (mine()) fields.forEach((field) => field.update());
  };
  return { element, update };
}

const changed = ({ name, options }, specs, key, value) => ({
  name,
  options: withOption(specs, options, key, value),
});

/** A transform as it is when it is switched on: the library's example of it. @param {string} name */
export const first = (name) => ({ name, options: { ...transforms[name].example } });

/**
 * A transform at its place among the others.
 *
 * @param {{ name: string }[]} others
 * @param {{ name: string }} added
 */
export function placed(others, added) {
  const after = others.findIndex(({ name }) => ORDER.indexOf(name) > ORDER.indexOf(added.name));
  return after < 0 ? [...others, added] : [...others.slice(0, after), added, ...others.slice(after)];
}
