import { gif } from "../export/gif.js";
import { png } from "../export/png.js";
import { toPyTorch } from "../state/pytorch.js";
import { nameOf } from "../state/racers.js";
import { encode } from "../state/url.js";
import { dialog } from "./dialog.js";
import { h, write } from "./dom.js";
import { selectOf } from "./fields.js";
import { menu } from "./menu.js";

/**
 * The menu of what can be taken away: a link, code, a picture, a film.
 *
 * @param {import("../app.js").App} app
 * @param {{ root: ParentNode, toast: (text: string) => void, online: boolean }} page `online`: it has an
 *   address of its own
 */
export function shareMenu(app, page) {
  const entries = [
    page.online && ["Copy link", "This very race, in the address", () => copyLink(app, page)],
    ["Copy as PyTorch", "The race in Python, with thalweg", () => showCode(app, page)],
    ["Save PNG", "A picture of the stage", () => savePicture(app, page)],
    ["Save GIF", "The race as a film", () => saveFilm(app, page)],
  ];
  return menu("Share", "share", entries.filter(Boolean)).element;
}

/** Copies a text; where the browser does not let us, the person finds it selected. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

async function copyLink(app, page) {
  const link = `${location.href.split("#")[0]}#${encode(app.state)}`;
  if (await copied(link)) return page.toast("Link copied.");
  const field = h("input", { type: "text", readonly: true, value: link, "aria-label": "Link" });
  dialog(page.root, "Copy link", [field]);
  field.select();
}

function showCode(app, page) {
  const text = h("code", null);
  const button = h("button", { type: "button", class: "primary", autofocus: true }, "Copy code");
  const area = h("pre", { tabindex: "0", "aria-label": "Python code" }, text);
  const note = h("p", { class: "note" });
  const show = (racer) => {
    write(text, toPyTorch(app.state, { slices: app.slices, racer }));
    write(note, promise(app, racer));
    write(button, "Copy code");
  };
  const parts = [whoseCode(app, show), area, h("footer", null, note, button)];
  dialog(page.root, "As PyTorch", parts, { wide: true });
  button.addEventListener("click", async () => {
    if (await copied(text.textContent)) write(button, "Copied");
    else getSelection().selectAllChildren(text);
  });
  show(null);
}

/** Whose code is shown: that of all racers, or of one alone. */
function whoseCode({ state }, show) {
  const { racers } = state;
  const alone = racers.map((_, i) => [String(i), `${nameOf(state, i)} alone`]);
  const onchange = () => show(select.value === "" ? null : Number(select.value));
  const props = { class: "whose", "aria-label": "Racers", onchange };
  const select = selectOf([["", "All racers"], ...alone], props);
  return racers.length > 1 ? select : null;
}

/** What the code keeps; the page stops a racer that diverged, and Python goes on. */
function promise({ surface, paths, state }, racer) {
  if (surface.expression === null) return "It holds the racers alone: bring your model and its data.";
  const runs = "It runs as it stands, with thalweg installed, and ends where the page ends";
  const meant = (i) => (racer === null ? !state.racers[i].hidden : i === racer);
  const ended = paths.some((path, i) => path.ended && meant(i));
  return ended ? `${runs}, but for racers that are out: Python does not stop them.` : `${runs}.`;
}

/** Gives a file to the browser's downloads. */
function save(blob, name) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function savePicture(app, page) {
  save(await png(app), `thalweg-${app.surface.id}.png`);
  page.toast("Picture saved.");
}

async function saveFilm(app, page) {
  const stop = new AbortController();
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Progress of the film" });
  const cancel = h("button", { type: "button", onclick: () => box.close() }, "Cancel");
  const box = dialog(
    page.root,
    "Drawing the film",
    [h("p", { class: "note" }, "A few seconds."), bar, h("footer", null, cancel)],
    {
      onclose: () => stop.abort(),
    },
  );
  try {
    const blob = await gif(app, { signal: stop.signal, progress: (share) => (bar.value = share) });
    if (!stop.signal.aborted) save(blob, `thalweg-${app.surface.id}.gif`);
  } catch (error) {
    if (!stop.signal.aborted) page.toast(`The film could not be drawn: ${error.message}`);
  }
  box.close();
}
