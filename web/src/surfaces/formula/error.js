/** What is wrong with a formula, in a sentence for the person who typed it, and where. */
export class FormulaError extends Error {
  /**
   * @param {string} message
   * @param {number} position the first character that is meant, counted from 0
   * @param {number} [length] how many characters are meant
   */
  constructor(message, position, length = 1) {
    super(message);
    this.name = "FormulaError";
    this.position = position;
    this.length = length;
  }
}
