// How names of the rules are written: Greek letters and indices, as in the papers.

const LETTERS = {
  lr: "η",
  beta: "β",
  rho: "ρ",
  alpha: "α",
  eps: "ε",
  momentum: "μ",
  mu: "μ",
  weight_decay: "λ",
  lambd: "λ",
  dampening: "τ",
  max_norm: "c",
  eta: "η",
};
const SQUARES = { p2: "θ", s2: "step", g2: "g", m2: "m", total: "g" }; // sums of squares over all coordinates

/**
 * A name in parts: what stands on the line, and below it.
 * @returns {{ base: string, sub?: string, square?: boolean }}
 */
export function symbol(name) {
  if (name in SQUARES) return { base: `‖${SQUARES[name]}‖`, square: true };
  if (name in LETTERS) return { base: LETTERS[name], sub: name === "eta" ? "t" : undefined };
  if (name.endsWith("_hat")) return { base: `${name[0]}\u0302` };
  const [, stem, digits] = /^(.*?)(\d*)$/.exec(name);
  if (digits) return { base: LETTERS[stem] ?? plain(stem), sub: digits };
  const [letter, index] = name.split("_");
  return letter.length === 1 && index ? { base: letter, sub: index } : { base: plain(name) };
}

const plain = (name) => name.replaceAll("_", " ");
