"use strict";
// What a page has beside its figures: controls that write the address, links, titles. See frame.py for the attributes.
(() => {
  const { address, cells, figures, onDress, theme, turn } = window.robustness;
  const { go, onMove, put, query, some, spelled } = address;
  const TYPING_MS = 300;
  const APP = new RegExp(window.robustnessPaths);
  const MAPS = ["workload", "metric", "delta", "range", "decay", "seeds", "surface"]; // as look.py has them

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
    document.querySelectorAll(".input[data-key]").forEach((place) => {
      const input = place.firstChild ?? document.createElement("input");
      if (input !== document.activeElement) input.value = query().get(place.dataset.key) ?? "";
      if (place.firstChild) return;
      Object.assign(input, { type: place.dataset.type, autocomplete: "off" });
      place.append(input);
    });
    figures.settle();
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

  function chosen(group) {
    const part = (key) => group.querySelector(`select[data-part="${key}"]`).value;
    put({ cell: cells.written(part("label"), part("lr"), part("weight_decay")) });
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

  onMove(settle);
  onDress(name);

  let settling = false;
  const changed = () => {
    if (settling) return;
    settling = true;
    requestAnimationFrame(() => { settling = false; settle(); });
  };
  // Not when everything has loaded: Plotly takes longest, and is needed last.
  if (/^\/study\/[^/]+$/.test(location.pathname)) {
    figures.expect(spelled(`${location.pathname}/maps`, some(MAPS)));
  }
  new MutationObserver((changes) => {
    const ours = (node) => node.closest?.(".plot, .problem, figcaption");
    if (changes.some((change) => !ours(change.target))) changed();
  }).observe(document.body, {
    childList: true, subtree: true, attributeFilter: ["data-src", "data-value", "data-default", "data-stamp"],
  });
  changed();
})();
