import { nameAmong } from "../state/racers.js";

/** What a racer is called. @param {object} state @param {number} index @returns {string} */
export const nameOf = (state, index) => nameAmong(state.racers, index);
