"use strict";
(() => {
  const hidden = { display: "none" };
  const kinds = ["wide", "narrow"];
  const isNarrow = matchMedia("(max-width: 760px)");

  // Dash writes a zoom into the figure itself, where Plotly's uirevision does not see it: an axis whose range is no
  // longer the one that was drawn was zoomed, and keeps its range.
  const ranges = {};
  function zoomed(layout, figure, key) {
    const before = ranges[key] ?? {};
    ranges[key] = {};
    for (const axis of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
      ranges[key][axis] = String(layout[axis].range);
      const now = figure?.layout?.[axis]?.range;
      if (now && axis in before && String(now) !== before[axis]) layout[axis].range = now;
    }
    return layout;
  }

  function room(id) {
    const section = document.getElementById(JSON.stringify({ index: id.index, type: "caption" })).parentElement;
    const look = getComputedStyle(section);
    return section.clientWidth - parseFloat(look.paddingLeft) - parseFloat(look.paddingRight);
  }

  // The figure by its layout for this window, the other one hidden; both where there is none, with the reason.
  function draw(drawn, figures, id) {
    const same = window.dash_clientside.no_update;
    if (!drawn) return Array(6).fill(same);
    if (!drawn.data) return [same, hidden, same, hidden, "", drawn.problem];
    const kind = isNarrow.matches ? "narrow" : "wide";
    const own = kinds.flatMap((name, place) => {
      if (name !== kind) return [same, hidden];
      const layout = zoomed(structuredClone(drawn[name]), figures[place], `${name} ${id.index}`);
      layout.width = room(id);
      return [{ data: drawn.data, layout }, { width: `${layout.width}px`, height: `${layout.height}px` }];
    });
    return [...own, drawn.caption, ""];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    service: {
      draw_drawn: (drawn, _width, wide, narrow, id) => draw(drawn, [wide, narrow], id),
      draw_width: (_width, drawn, wide, narrow, id) => draw(drawn, [wide, narrow], id),
    },
  });

  // Dash's graph fits itself to its place, which would squeeze the wide layout into a window that has no room for its
  // axes. So the place has a fixed size, which changes together with the layout.
  let waiting;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => window.dash_clientside.set_props("width", { data: window.innerWidth }), 100);
  });
})();
