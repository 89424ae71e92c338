"use strict";
// The cells of the maps: clicked, pointed at, walked through with the arrow keys, framed when chosen.
window.robustness.cells = (() => {
  const { onMove, put, query, some, spelled } = window.robustness.address;
  let cursor = null;

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
      if (document.getElementById("figure-curves")) return; // it asks for itself
      window.robustness.figures.expect(spelled(`${location.pathname}/curves`, some(["workload", "cell"])));
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
    document.querySelectorAll(".figure[data-follows]").forEach(window.robustness.figures.load);
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

  onMove(() => {
    cursor = null;
    document.querySelectorAll(".figure[data-cells]").forEach(mark);
  });
  document.addEventListener("keydown", (event) => {
    const figure = event.target.closest?.(".figure[data-cells]");
    if (!figure || event.target !== figure || !event.key.startsWith("Arrow")) return;
    event.preventDefault();
    step(figure, event.key);
  });
  return { bind, cursor: () => cursor, mark, pointAgain, written };
})();
