"use strict";
// The address is the only state: controls write it, figures are fetched as it says. See frame.py for the attributes.
(() => {
  const { draw, isNarrow, onDress, theme, turn } = window.robustness;
  const EVERY_MS = 5000;
  const TYPING_MS = 300;
  const APP = /^\/(compare|submit|study\/[^/]+(\/(claims|data))?)?$/;
  const MAPS = new Set(["workload", "metric", "delta", "range", "decay", "seeds", "surface"]);
  const query = () => new URLSearchParams(location.search);

  function go(url) {
    if (url === location.pathname + location.search) return;
    const before = location.pathname;
    history.pushState({}, "", url);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate")); // what Dash's own links say
    if (location.pathname !== before) window.scrollTo(0, 0);
    moved();
  }

  function put(changes) {
    const asked = query();
    for (const [key, value] of Object.entries(changes)) value === null ? asked.delete(key) : asked.set(key, value);
    const text = asked.toString();
    go(location.pathname + (text ? `?${text}` : ""));
  }

  // Figures.
  const states = new WeakMap();
  let cursor = null;

  // One spelling of an address, however its signs were written.
  const spelled = (path, asked) => (asked.size ? `${path}?${asked}` : path);

  function address(figure) {
    const url = new URL(figure.dataset.src, location.origin);
    for (const key of (figure.dataset.keys ?? "").split(" ").filter(Boolean)) {
      const value = query().get(key);
      if (value !== null) url.searchParams.set(key, value);
    }
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
      if (place.dataset.kind !== had || !place.dataset.bound) bind(figure, place);
      mark(figure);
      figure.dataset.drawn = place.dataset.kind;
      pointAgain(figure);
    });
  }

  const script = document.querySelector('script[src^="/plotly.js"]');
  const plotly = new Promise((loaded) => (window.Plotly ? loaded() : script.addEventListener("load", loaded)));

  // Cells.
  const written = (label, lr, decay) => `${label}~${lr}~${decay}`;

  function cellOf(point) {
    const meta = point?.data?.meta;
    if (!meta?.label) return null;
    if (meta.cells) return written(meta.label, ...meta.cells[point.pointNumber]);
    const [row, column] = point.pointNumber;
    return written(meta.label, meta.lr[column], meta.weight_decay[row]);
  }

  function bind(figure, place) {
    place.dataset.bound = "1";
    if (!figure.dataset.cells) return;
    let waiting;
    place.on("plotly_click", (event) => {
      const cell = cellOf(event.points[0]);
      if (!cell || cell === query().get("cell")) return;
      put({ cell });
      expect(spelled(`${location.pathname}/curves`, query()));
    });
    place.on("plotly_hover", (event) => {
      const cell = cellOf(event.points[0]);
      clearTimeout(waiting);
      if (cell && cell !== cursor) waiting = setTimeout(() => follow(cell), 60);
    });
    place.on("plotly_unhover", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => follow(null), 400);
    });
  }

  function follow(cell) {
    cursor = cell;
    document.querySelectorAll(".figure[data-follows]").forEach(load);
  }

  const parsed = (text) => {
    const parts = (text ?? "").split("~");
    if (parts.length < 3) return null;
    const [lr, decay] = parts.slice(-2).map(Number);
    return { label: parts.slice(0, -2).join("~"), lr, decay };
  };
  // The nearest value, for an address may have been written by hand; -1 where none is near.
  function nearest(values, value) {
    const away = values.map((each) => Math.abs(each - value));
    const least = away.indexOf(Math.min(...away));
    return away[least] <= 0.02 * Math.abs(value) ? least : -1;
  }

  // A label that stood under a resting pointer is gone when the figure is drawn anew: say that it is there.
  let pointer = null;
  document.addEventListener("mousemove", (event) => {
    if (event.isTrusted) pointer = { clientX: event.clientX, clientY: event.clientY };
  });
  function pointAgain(figure) {
    if (!figure.dataset.cells || !pointer) return;
    const under = document.elementFromPoint(pointer.clientX, pointer.clientY);
    if (!figure.contains(under)) return;
    under.dispatchEvent(new MouseEvent("mousemove", { ...pointer, bubbles: true }));
  }

  // A frame around the chosen cell.
  function mark(figure) {
    const place = figure.querySelector(".plot");
    if (!figure.dataset.cells || !place.layout) return;
    const wanted = parsed(query().get("cell"));
    const shapes = wanted ? (place._fullData ?? []).flatMap((trace) => framed(trace, wanted)) : [];
    const before = JSON.stringify(place.layout.shapes ?? []);
    if (JSON.stringify(shapes) !== before) window.Plotly.relayout(place, { shapes });
  }

  function framed(trace, wanted) {
    const meta = trace.meta;
    if (meta?.label !== wanted.label || !meta.lr) return [];
    const column = nearest(meta.lr, wanted.lr);
    const row = nearest(meta.weight_decay, wanted.decay);
    if (column < 0 || row < 0) return [];
    const box = {
      type: "rect", xref: trace.xaxis, yref: trace.yaxis, x0: trace.x[column], x1: trace.x[column + 1],
      y0: trace.y[row], y1: trace.y[row + 1],
    };
    const line = (color, width) => ({ ...box, line: { color, width } });
    return [line("#ffffff", 6), line("#d0021b", 3)];
  }

  function step(figure, key) {
    const traces = (figure.querySelector(".plot")._fullData ?? []).filter((trace) => trace.meta?.lr);
    if (!traces.length) return;
    const now = parsed(query().get("cell"));
    const label = now?.label ?? traces[0].meta.label;
    const own = traces.filter((trace) => trace.meta.label === label);
    if (!own.length) return;
    const lrs = own[0].meta.lr;
    const decays = [...new Set(own.flatMap((trace) => trace.meta.weight_decay))].sort((a, b) => a - b);
    const at = (values, value) => Math.max(0, nearest(values, value));
    let column = now ? at(lrs, now.lr) : Math.floor(lrs.length / 2);
    let row = now ? at(decays, now.decay) : Math.floor(decays.length / 2);
    if (now) {
      column += { ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0;
      row += { ArrowDown: -1, ArrowUp: 1 }[key] ?? 0;
    }
    const inside = (values, place) => values[Math.min(Math.max(place, 0), values.length - 1)];
    put({ cell: written(label, inside(lrs, column), inside(decays, row)) });
  }

  // What Dash has put on the page: controls get their values, figures their data.
  function settle() {
    document.querySelectorAll("select[data-key]").forEach((select) => {
      const value = query().get(select.dataset.key) ?? select.dataset.default;
      const known = [...select.options].some((option) => option.value === value);
      select.value = known ? value : select.dataset.default;
    });
    document.querySelectorAll("select[data-part][data-value]").forEach((select) => {
      if (select.dataset.set === select.dataset.value) return;
      select.dataset.set = select.dataset.value;
      if (select.dataset.value) select.value = select.dataset.value;
    });
    document.querySelectorAll(".input[data-key]:empty").forEach((place) => {
      const input = document.createElement("input");
      input.type = place.dataset.type;
      input.value = query().get(place.dataset.key) ?? "";
      input.autocomplete = "off";
      place.append(input);
    });
    document.querySelectorAll(".figure[data-src]").forEach((figure) => {
      const state = states.get(figure);
      if (!figure.offsetParent) return; // what is not shown has no width to be drawn for
      const now = address(figure);
      const known = state && (state.url === now || state.asking === now);
      if (!known || state.stamp !== figure.dataset.stamp) load(figure);
    });
    document.querySelectorAll("header.top nav a, .tabs a").forEach((link) => {
      const here = new URL(link.href).pathname === location.pathname;
      here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    });
    const heading = document.querySelector("main h1")?.textContent;
    const tab = document.querySelector(".tabs li:not(:first-child) a[aria-current]")?.textContent;
    const title = [heading, tab, "robustness"].filter(Boolean).join(" · ");
    if (document.title !== title) document.title = title;
    name();
  }

  function name() {
    const button = document.getElementById("theme");
    const other = theme() === "dark" ? "Light" : "Dark";
    if (!button || button.textContent === `${other} theme`) return; // what is written anew calls for settling
    const rest = Object.assign(document.createElement("span"), { textContent: " theme" });
    button.replaceChildren(other, rest);
  }

  function moved() {
    cursor = null;
    settle();
    document.querySelectorAll(".figure[data-cells]").forEach(mark);
  }

  // Events of the whole page, for its parts come and go.
  document.addEventListener("change", (event) => {
    const { key, default: usual } = event.target.dataset ?? {};
    if (event.target.matches("select[data-key]")) put({ [key]: event.target.value === usual ? null : event.target.value });
  });

  let typing;
  document.addEventListener("input", (event) => {
    const place = event.target.closest?.(".input[data-key]");
    if (!place) return;
    clearTimeout(typing);
    typing = setTimeout(() => put({ [place.dataset.key]: event.target.value || null }), TYPING_MS);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("#theme")) return turn();
    const copy = event.target.closest("[data-copy]");
    if (copy) return copied(copy);
    if (event.target.closest('[data-show="cell"]')) return chosen(event.target.closest(".chooser"));
    const link = event.target.closest("a[href]");
    if (!link || link.target || link.hasAttribute("download") || event.button || event.ctrlKey || event.metaKey ||
        event.shiftKey || event.altKey) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !APP.test(url.pathname) || (url.hash && url.pathname === location.pathname)) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });

  // A note that is taken away does not move the map from under the pointer.
  document.addEventListener("mouseover", (event) => {
    const above = document.getElementById("answer");
    if (!above) return;
    if (!event.target.closest?.(".figure[data-cells]")) above.style.minHeight = "";
    else if (!above.style.minHeight) above.style.minHeight = `${above.offsetHeight}px`;
  });

  document.addEventListener("keydown", (event) => {
    const figure = event.target.closest?.(".figure[data-cells]");
    if (!figure || event.target !== figure || !event.key.startsWith("Arrow")) return;
    event.preventDefault();
    step(figure, event.key);
  });

  function chosen(group) {
    const part = (key) => group.querySelector(`select[data-part="${key}"]`).value;
    put({ cell: written(part("label"), part("lr"), part("weight_decay")) });
  }

  async function copied(button) {
    const words = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      // Only a page from this machine or over TLS may write there.
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "Selected: copy it with the keyboard";
    }
    setTimeout(() => { button.textContent = words; }, 2000);
  }

  // What is asked of Dash: the page anew where the path changed, or the query of a page that does not look after it;
  // the answer anew where it is another workload's, or within another distance.
  const same = (before, now) => (before === now ? window.dash_clientside.no_update : now);
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    service: {
      route(path, search, route, asked) {
        const keys = new URLSearchParams(search ?? "");
        const page = path === "/" ? `${path}${search ?? ""}` : path;
        return [same(route, page), same(asked, `${path} ${keys.get("workload")} ${keys.get("delta")}`)];
      },
    },
  });

  window.robustness.go = go;
  window.addEventListener("popstate", moved);
  isNarrow.addEventListener("change", () => {
    document.querySelectorAll(".figure[data-src]").forEach((figure) => states.get(figure)?.content && show(figure));
  });
  onDress(name);
  setInterval(() => {
    if (document.visibilityState === "hidden") return;
    document.querySelectorAll(".figure[data-live]").forEach((figure) => figure.offsetParent && load(figure));
  }, EVERY_MS);

  let settling = false;
  const changed = () => {
    if (settling) return;
    settling = true;
    requestAnimationFrame(() => { settling = false; settle(); });
  };
  // Not when everything has loaded: Plotly takes longest, and is needed last.
  if (/^\/study\/[^/]+$/.test(location.pathname)) {
    expect(spelled(`${location.pathname}/maps`, new URLSearchParams([...query()].filter(([key]) => MAPS.has(key)))));
  }
  new MutationObserver((changes) => {
    const ours = (node) => node.closest?.(".plot, .problem, figcaption");
    if (changes.some((change) => !ours(change.target))) changed();
  }).observe(document.body, {
    childList: true, subtree: true, attributeFilter: ["data-src", "data-value", "data-default"],
  });
  changed();
})();
