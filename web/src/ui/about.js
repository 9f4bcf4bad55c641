import { h } from "./dom.js";

/** A paper as the library cites it, with its number in the archive. */
const PAPER = /(arXiv (?:math\/\d{7}|\d{4}\.\d{4,5}))/;

/**
 * What the library says of an algorithm, a schedule or a transform: what it does, and where it is from, with
 * a link to each paper that has an address.
 *
 * @param {{ doc: string, source: string }} entry as in the library
 */
export function about({ doc, source }) {
  return h("p", { class: "note" }, doc, source && [" Source: ", linked(source)]);
}

const linked = (text) => text.split(PAPER).map((part, i) => (i % 2 ? link(part) : part));

function link(paper) {
  const href = `https://arxiv.org/abs/${paper.slice("arXiv ".length)}`;
  return h("a", { href, target: "_blank", rel: "noopener" }, paper);
}
