"use strict";
(() => {
  const { figures, themes } = JSON.parse(document.getElementById("payload").textContent);
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isNarrow = matchMedia("(max-width: 760px)");

  // A browser may refuse storage to a file; the choice then lasts as long as the page.
  const remembered = () => { try { return localStorage.getItem("robustness-theme"); } catch { return null; } };
  const remember = (name) => { try { localStorage.setItem("robustness-theme", name); } catch { /* not kept */ } };

  let chosen = remembered();
  const theme = () => (chosen in themes ? chosen : prefersDark.matches ? "dark" : "light");

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

  function themed(layout, look) {
    const copy = structuredClone(layout);
    for (const [path, value] of Object.entries(colors(layout, look))) {
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

  function draw() {
    const drawn = Object.entries(figures).map(([name, figure]) => {
      const layout = themed(isNarrow.matches ? figure.narrow : figure.wide, themes[theme()]);
      // A finger that moves over a map scrolls the page.
      if (isNarrow.matches) layout.dragmode = false;
      const place = document.getElementById(name);
      place.style.height = `${layout.height}px`;
      return Plotly.react(place, figure.data, layout, config(name));
    });
    return Promise.all(drawn).then(() => { root.dataset.drawn = isNarrow.matches ? "narrow" : "wide"; });
  }

  function dress() {
    root.dataset.theme = theme();
    button.textContent = theme() === "dark" ? "Light theme" : "Dark theme";
    for (const name of Object.keys(figures)) {
      const place = document.getElementById(name);
      if (place.layout) Plotly.relayout(place, colors(place.layout, themes[theme()]));
    }
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    chosen = theme() === "dark" ? "light" : "dark";
    remember(chosen);
    dress();
  });
  prefersDark.addEventListener("change", dress);
  isNarrow.addEventListener("change", draw);
  dress();
  draw();
})();
