/** What a racer is called: its label, else its optimizer. */

/** @param {object} state @param {number} index @returns {string} */
export function nameOf(state, index) {
  const { label, optimizer } = state.racers[index];
  return label || optimizer;
}
