"""Where the report's cells are in a real browser."""

from __future__ import annotations

# Where a cell is on the page: from Plotly's own axes, in the window's pixels.
PIXEL = """([id, trace, column, row]) => {
  const gd = document.getElementById(id), data = gd._fullData[trace];
  const axis = (ref) => gd._fullLayout[ref[0] + "axis" + ref.slice(1)];
  const x = axis(data.xaxis || "x"), y = axis(data.yaxis || "y");
  const middle = (edges, i, log) => log ? Math.sqrt(edges[i] * edges[i + 1]) : (edges[i] + edges[i + 1]) / 2;
  const box = gd.getBoundingClientRect();
  return [box.left + x._offset + x.d2p(middle(data.x, column, true)),
          box.top + y._offset + y.d2p(middle(data.y, row, y.type === "log"))];
}"""
