"use strict";
// Figures in the page's theme: what a report and the service's pages share.
window.robustness = (() => {
  const themes = window.robustnessThemes ?? JSON.parse(document.getElementById("payload").textContent).themes;
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isNarrow = matchMedia("(max-width: 760px)");

  // A browser may refuse storage to a file; the choice then lasts as long as the page.
  const remembered = () => { try { return localStorage.getItem("robustness-theme"); } catch { return null; } };
  const remember = (name) => { try { localStorage.setItem("robustness-theme", name); } catch { /* not kept */ } };

  let chosen = remembered();
  const theme = () => (Object.hasOwn(themes, chosen ?? "") ? chosen : prefersDark.matches ? "dark" : "light");
  const listeners = [];

  // The changes that give a layout the page's colors, as Plotly.relayout takes them.
  function colors(layout, look) {
    const changes = {
      "font.color": look.ink, "hoverlabel.bgcolor": look.paper, "hoverlabel.bordercolor": look.axis,
      "hoverlabel.font.color": look.ink, "modebar.bgcolor": "rgba(0,0,0,0)", "modebar.color": look.axis,
      "modebar.activecolor": look.ink,
    };
    for (const key of Object.keys(layout)) {
      if (!/^[xy]axis\d*$/.test(key)) continue;
      changes[`${key}.gridcolor`] = look.grid;
      changes[`${key}.linecolor`] = changes[`${key}.tickcolor`] = look.axis;
    }
    if (layout.coloraxis) changes["coloraxis.colorbar.tickcolor"] = look.axis;
    return changes;
  }

  function themed(layout) {
    const copy = structuredClone(layout);
    for (const [path, value] of Object.entries(colors(layout, themes[theme()]))) {
      const keys = path.split(".");
      const last = keys.pop();
      keys.reduce((place, key) => (place[key] ??= {}), copy)[last] = value;
    }
    return copy;
  }

  const config = (name) => ({
    responsive: true, displaylogo: false, displayModeBar: isNarrow.matches ? false : "hover", showSendToCloud: false,
    plotlyServerURL: "", doubleClick: "reset", scrollZoom: false,
    modeBarButtons: [["toImage", "zoom2d", "resetScale2d"]],
    toImageButtonOptions: { format: "svg", filename: `${document.title.split(" ")[0]}-${name}` },
  });

  // `kept` are further keys of the layout.
  function draw(place, figure, name, kept = {}) {
    const layout = Object.assign(themed(isNarrow.matches ? figure.narrow : figure.wide), kept);
    // A finger that moves over a map scrolls the page.
    if (isNarrow.matches) layout.dragmode = false;
    place.style.height = `${layout.height}px`;
    // Plotly cannot turn one layout into the other, for the color bar's sake.
    const kind = isNarrow.matches ? "narrow" : "wide";
    if (place.dataset.kind && place.dataset.kind !== kind) Plotly.purge(place);
    place.dataset.kind = kind;
    return Plotly.react(place, figure.data, layout, config(name));
  }

  const places = () => document.querySelectorAll(".js-plotly-plot");

  function dress() {
    root.dataset.theme = theme();
    for (const place of places()) if (place.layout) Plotly.relayout(place, colors(place.layout, themes[theme()]));
    listeners.forEach((listener) => listener());
  }

  function turn() {
    chosen = theme() === "dark" ? "light" : "dark";
    remember(chosen);
    dress();
  }

  prefersDark.addEventListener("change", dress);
  root.dataset.theme = theme();
  return { draw, dress, isNarrow, onDress: (listener) => listeners.push(listener), theme, turn };
})();
