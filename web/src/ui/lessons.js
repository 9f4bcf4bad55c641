import { lessons } from "../state/lessons.js";
import { normalize } from "../state/state.js";
import { surfaces } from "../surfaces/index.js";
import { h, write } from "./dom.js";
import { selectOf } from "./fields.js";
import { iconButton } from "./icons.js";

/** The lesson that is open; a link may name one that there is not. */
const lessonOf = (app) => lessons.find(({ id }) => id === app.state.lesson);

/**
 * Opens a lesson: its race, with what the person chose for looking at it kept.
 *
 * @param {import("../app.js").App} app
 * @param {string} id
 */
function openLesson(app, id) {
  const lesson = lessons.find((one) => one.id === id);
  const { theme, speed } = app.state;
  app.load(normalize({ ...lesson.state, lesson: id, theme, speed }, app.slices));
  app.announce(`${lesson.title}. ${lesson.text}`);
}

/** @param {import("../app.js").App} app */
export const nextLesson = (app) => openLesson(app, following(app.state.lesson).id);

/** The menu of lessons in the top bar. @param {import("../app.js").App} app */
export function lessonPicker(app) {
  const options = [["", "Free play"], ...lessons.map(({ id, title }, i) => [id, `${i + 1}. ${title}`])];
  const choose = () => (select.value ? openLesson(app, select.value) : app.set({ lesson: null }));
  const select = selectOf(options, { class: "lesson", "aria-label": "Lesson", onchange: choose });
  const update = () => (select.value = lessonOf(app)?.id ?? "");
  app.on("state", update);
  update();
  return select;
}

/**
 * The text of the lesson; without one, what the surface is about. Here are the notes on a link that was
 * mended, too.
 *
 * @param {import("../app.js").App} app
 */
export function lessonCard(app) {
  const kicker = h("span", { class: "kicker" });
  const title = h("h2", null);
  const text = h("p", { class: "text" });
  const link = h("a", { target: "_blank", rel: "noopener" });
  const next = h("button", { type: "button", class: "next", onclick: () => nextLesson(app) });
  const update = () => {
    const lesson = lessonOf(app);
    const family = surfaces.find(({ id }) => id === app.state.surface.id);
    write(kicker, lesson ? `Lesson ${lessons.indexOf(lesson) + 1} of ${lessons.length}` : "Surface");
    write(title, lesson?.title ?? family.label);
    write(text, lesson?.text ?? family.note);
    link.hidden = !lesson?.link;
    if (lesson?.link) {
      link.href = lesson.link.href;
      write(link, lesson.link.label);
    }
    write(next, lesson ? "Next lesson" : "Start the lessons");
    next.title = following(app.state.lesson).title;
  };
  app.on("state", update);
  update();
  const head = h("div", { class: "titles" }, kicker, title, link, next);
  return h("section", { class: "card", "aria-label": "Lesson" }, head, text, notes(app));
}

const following = (id) => lessons[(lessons.findIndex((lesson) => lesson.id === id) + 1) % lessons.length];

/** What had to be mended in a link, until it is dismissed. */
function notes(app) {
  const list = h("ul", null);
  const close = iconButton("close", "Dismiss", () => app.set({ notes: [] }));
  const element = h("div", { class: "notes", role: "status", hidden: true }, list, close);
  const update = () => {
    const said = app.state.notes ?? [];
    element.hidden = !said.length;
    const same =
      list.children.length === said.length && said.every((note, i) => list.children[i].textContent === note);
    if (!same) list.replaceChildren(...said.map((note) => h("li", null, note)));
  };
  app.on("state", update);
  update();
  return element;
}
