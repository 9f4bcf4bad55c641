// Counts what a page still means to do, so that a test waits for the page and not for a time. Runs in the page
// before its own script does.
(() => {
  const real = {
    later: window.setTimeout.bind(window),
    never: window.clearTimeout.bind(window),
    next: window.requestAnimationFrame.bind(window),
    drop: window.cancelAnimationFrame.bind(window),
  };
  const waits = new Map();
  const frames = new Set();
  window.setTimeout = (fn, wait = 0, ...rest) => {
    const once = () => {
      waits.delete(id);
      fn(...rest);
    };
    const id = real.later(once, wait);
    waits.set(id, wait);
    return id;
  };
  window.clearTimeout = (id) => {
    waits.delete(id);
    real.never(id);
  };
  window.requestAnimationFrame = (fn) => {
    const once = (now) => {
      frames.delete(id);
      fn(now);
    };
    const id = real.next(once);
    frames.add(id);
    return id;
  };
  window.cancelAnimationFrame = (id) => {
    frames.delete(id);
    real.drop(id);
  };

  /** What a page in shadow roots lets glide from one look to another. */
  const glides = () => [...document.querySelectorAll("*")].flatMap((one) => one.shadowRoot?.getAnimations() ?? []);

  /** Frame after frame until something is so. */
  window.until = async (so, said = () => so) => {
    const end = performance.now() + 60_000;
    while (!so()) {
      if (performance.now() > end) throw new Error(`waited in vain for ${said()}`);
      await new Promise(real.next);
    }
  };

  /**
   * Two frames on, so that what was just done is told, and then until no frame, no glide and no wait is left that
   * is shorter than so many milliseconds: a message goes away on its own, later.
   */
  window.atRest = async (longest) => {
    const left = () => [...waits.values()].filter((wait) => wait < longest);
    const said = () => `rest: ${frames.size} frames, waits of [${left()}] ms, ${glides().length} glides`;
    for (let k = 0; k < 2; k++) await new Promise(real.next);
    await until(() => !frames.size && !left().length && !glides().length, said);
  };
})();
