/** Where SVG elements live. */
const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["svg", "path", "circle"]);

/**
 * An element with its attributes, listeners and children.
 *
 * `on…` props that are functions become listeners; `style` is an object of CSS properties; true sets an empty
 * attribute, and false, null and undefined set none. Of the children, null and false are left out.
 *
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {...any} children
 * @returns {any}
 */
export function h(tag, props = null, ...children) {
  const element = DRAWN.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) give(element, name, value);
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

function give(element, name, value) {
  if (typeof value === "function") element.addEventListener(name.slice(2), value);
  else if (name === "style")
    for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
  else if (value === true) element.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
}

/**
 * Writes a text only where it differs, so that unchanged text costs no layout and is not announced again.
 *
 * @param {Node} node
 * @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * The element that has the focus, inside a shadow root too.
 *
 * @param {Node} node any node of the tree asked about
 * @returns {Element | null}
 */
export function focused(node) {
  return /** @type {any} */ (node.getRootNode()).activeElement ?? null;
}

/**
 * Rebuilds a part of the page while the control that had the focus keeps it, found again by its `data-field`.
 *
 * @param {HTMLElement} part
 * @param {() => any[]} build the new children
 */
export function rebuild(part, build) {
  const field = part.contains(focused(part)) ? focused(part)?.getAttribute("data-field") : null;
  part.replaceChildren(...build());
  if (field) /** @type {any} */ (part.querySelector(`[data-field="${CSS.escape(field)}"]`))?.focus();
}
