// What a person may have meant by a name that is not known.
import { aliases, constants, functions, variables } from "./functions.js";

const KNOWN = [...functions.keys(), ...aliases.keys(), ...constants.keys(), ...variables];

/** How many letters have to be changed, added or left out, to get from one word to the other. */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/** A sentence about an unknown name, with a suggestion where there is one. */
export function unknown(name) {
  const meant = suggestion(name);
  const shown = name.length > 20 ? `${name.slice(0, 20)}…` : name;
  if (meant) return `I don't know “${shown}”; did you mean ${meant}?`;
  return `I don't know “${shown}”; the variables are x and y.`;
}

function suggestion(name) {
  const small = name.toLowerCase();
  if (/^[xye]+$/.test(small)) return [...small].join("*");
  const head = KNOWN.find((word) => word.length > 1 && small.startsWith(word));
  const tail = head && small.slice(head.length);
  if (head && functions.has(aliases.get(head) ?? head) && variables.includes(tail)) return `${head}(${tail})`;
  if (name.length < 3 || name.length > 20) return null;
  const begun = KNOWN.find((word) => word.startsWith(small));
  if (begun) return begun;
  const near = KNOWN.filter((word) => word.length > 1).map((word) => [distance(small, word), word]);
  const [changes, word] = near.reduce((best, one) => (one[0] < best[0] ? one : best));
  return changes <= (name.length > 4 ? 2 : 1) ? word : null;
}
