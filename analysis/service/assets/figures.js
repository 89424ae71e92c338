"use strict";
// Figures: fetched as the page's address says, asked about with the tag of what is drawn. See frame.py for the attributes.
window.robustness.figures = (() => {
  const { draw, isNarrow } = window.robustness;
  const { some, spelled } = window.robustness.address;
  const EVERY_MS = 5000;
  const states = new WeakMap();

  function address(figure) {
    const url = new URL(figure.dataset.src, location.origin);
    for (const [key, value] of some((figure.dataset.keys ?? "").split(" "))) url.searchParams.set(key, value);
    const cursor = window.robustness.cells.cursor();
    if (figure.dataset.follows && cursor) url.searchParams.set("cell", cursor);
    return spelled(url.pathname, url.searchParams);
  }

  const tell = (figure, text) => {
    const place = figure.querySelector(".problem");
    place.textContent = text;
    place.hidden = !text;
  };

  // What will be asked for as soon as Dash has put its place on the page.
  const ahead = new Map();
  function expect(url) {
    const early = fetch(url, { cache: "no-store" });
    early.catch(() => {}); // whoever takes it says so
    ahead.clear();
    ahead.set(url, early);
  }

  async function load(figure) {
    const url = address(figure);
    const state = states.get(figure) ?? {};
    states.set(figure, state);
    state.stamp = figure.dataset.stamp;
    if (state.asking === url) return;
    state.abort?.abort();
    state.abort = new AbortController();
    state.asking = url;
    const slow = setTimeout(() => figure.classList.add("waiting"), 200);
    try {
      const headers = state.url === url && state.tag ? { "If-None-Match": state.tag } : {};
      // Each question asks the server: the browser's own store would answer a question that was not asked with a tag.
      const early = ahead.get(url);
      ahead.delete(url);
      const answer = await (early ?? fetch(url, { headers, cache: "no-store", signal: state.abort.signal }));
      if (answer.status === 401) return location.reload();
      if (answer.status === 304) return tell(figure, state.content.problem ?? "");
      const content = await answer.json();
      Object.assign(state, { url, tag: answer.headers.get("ETag"), content });
      show(figure);
    } catch (error) {
      if (error.name === "AbortError") return;
      state.tag = null;
      tell(figure, "No answer from the service; it is asked again.");
    } finally {
      clearTimeout(slow);
      if (state.asking === url) {
        state.asking = null;
        figure.classList.remove("waiting");
      }
    }
  }

  function show(figure) {
    const { content, url } = states.get(figure);
    const place = figure.querySelector(".plot");
    const caption = figure.querySelector("figcaption");
    tell(figure, content.problem ?? "");
    caption.textContent = content.caption ?? "";
    place.hidden = !content.data;
    if (!content.data) return;
    const asked = new URL(url, location.origin).searchParams;
    const uirevision = ["workload", "decay", "surface", "cell"].map((key) => asked.get(key)).join(" ");
    const had = place.dataset.kind;
    const kept = { uirevision };
    if (!window.Plotly) return plotly.then(() => show(figure));
    Promise.resolve(draw(place, content, figure.dataset.name, kept)).then(() => {
      const cells = window.robustness.cells;
      if (place.dataset.kind !== had || !place.dataset.bound) cells.bind(figure, place);
      cells.mark(figure);
      figure.dataset.drawn = place.dataset.kind;
      cells.pointAgain(figure);
    });
  }

  const script = document.querySelector('script[src^="/plotly.js"]');
  const plotly = new Promise((loaded) => (window.Plotly ? loaded() : script.addEventListener("load", loaded)));

  // Those that are to be fetched: none that is not shown, for it has no width to be drawn for.
  function settle() {
    document.querySelectorAll(".figure[data-src]").forEach((figure) => {
      if (!figure.offsetParent) return;
      const state = states.get(figure);
      const now = address(figure);
      const known = state && (state.url === now || state.asking === now);
      if (!known || state.stamp !== figure.dataset.stamp) load(figure);
    });
  }

  // A figure whose place Dash has made anew keeps what is drawn there, and how it is zoomed.
  function adopt(before, figure) {
    const state = states.get(before);
    if (!state?.content) return;
    state.abort?.abort();
    state.asking = null;
    states.set(figure, state);
    for (const part of [".problem", ".plot", "figcaption"]) {
      figure.querySelector(part).replaceWith(before.querySelector(part));
    }
    if (before.dataset.drawn) figure.dataset.drawn = before.dataset.drawn;
  }

  isNarrow.addEventListener("change", () => {
    document.querySelectorAll(".figure[data-src]").forEach((figure) => states.get(figure)?.content && show(figure));
  });
  setInterval(() => {
    if (document.visibilityState === "hidden") return;
    document.querySelectorAll(".figure[data-live]").forEach((figure) => figure.offsetParent && load(figure));
  }, EVERY_MS);
  return { adopt, expect, load, settle };
})();
