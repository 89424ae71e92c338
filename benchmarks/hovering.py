"""A page of 3 maps of 100 x 100 cells in Chromium: how long until it is drawn, and until the pointer's label stands.

    python -m benchmarks.hovering

The peer is the same page with maps of 12 x 11 cells: what the page and Plotly cost by themselves.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from analysis.figures import basins
from analysis.figures.export import browser as find_browser
from analysis.landscapes.landscape import landscapes
from analysis.report.page import asset, embedded, payload
from tests.support import synthetic
from tests.support.browser import FLAGS
from tests.support.report_browser import PIXEL

# From the pointer's move to Plotly's word that it shows a label.
LISTEN = """() => {
  const place = document.getElementById("basins");
  let moved = 0;
  window.delays = [];
  document.addEventListener("mousemove", () => { moved = performance.now(); }, true);
  place.on("plotly_hover", () => { window.delays.push(performance.now() - moved); });
}"""


def main() -> int:
    """Measure and print both pages."""
    print("| cells | page, MB | load to drawn, s | hover, ms: median | greatest |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        for rates, decays in ((12, 11), (100, 100)):
            path = Path(folder) / f"{rates}.html"
            path.write_text(_page(rates, decays), encoding="utf-8")
            found = [_measure(browser, path, rates, decays) for _ in range(3)]
            drawn = statistics.median(seconds for seconds, _ in found)
            delays = [delay for _, several in found for delay in several]
            size = f"{path.stat().st_size / 1e6:.1f} | {drawn:.2f}"
            print(f"| 3 x {rates * decays} | {size} | {statistics.median(delays):.1f} | {max(delays):.1f} |")
        browser.close()
    return 0


def _page(rates: int, decays: int) -> str:
    from plotly.offline import get_plotlyjs

    lr, decay = tuple(np.logspace(-4, -0.5, rates)), tuple(np.logspace(-5, -1, decays))
    drawn = payload({"basins": basins(landscapes(synthetic.runs(lr=lr, weight_decay=decay)))})
    return (
        '<html><meta charset="utf-8"><button id="theme"></button><div id="basins"></div>'
        f"<script>{get_plotlyjs()}</script>"
        f'<script type="application/json" id="payload">{embedded(drawn)}</script>'
        f"<script>{asset('plots.js')}{asset('page.js')}</script></html>"
    )


def _measure(browser: Any, path: Path, rates: int, decays: int) -> tuple[float, list[float]]:
    """Return the seconds until the page is drawn, and the delay of the label over 21 cells, milliseconds."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    started = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector('html[data-drawn="wide"]', state="attached")
    seconds = time.perf_counter() - started
    page.evaluate(LISTEN)
    maps = page.evaluate(
        "document.getElementById('basins').data.map((t, i) => t.type === 'heatmap' ? i : -1).filter(i => i >= 0)"
    )
    random = np.random.default_rng(0)
    for number in range(21):
        trace, column, row = maps[number % 3], int(random.integers(rates)), int(random.integers(decays))
        page.mouse.move(*page.evaluate(PIXEL, ["basins", trace, column, row]))
        page.wait_for_function(f"window.delays.length > {number}")
        said = page.locator("#basins .hoverlayer .hovertext").first.text_content()
        words = page.evaluate(f"document.getElementById('basins').data[{trace}].customdata[{row}][{column}]")
        assert all(word in said for word in words), (said, words)
    delays = list(page.evaluate("window.delays"))
    page.close()
    return seconds, delays


if __name__ == "__main__":
    sys.exit(main())
