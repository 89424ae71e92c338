"""Pages of the service in a real browser."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = {"wide": (1280, 900), "narrow": (390, 844)}


@contextmanager
def opened(browser: Any, address: str, path: str, size: str = "wide", scheme: str = "light") -> Iterator[Any]:
    """Open a page; on leaving, nothing may have been logged, thrown, or asked of another host."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address + path)
    yield page
    context.close()
    assert trouble == []
    assert [url for url in requests if not url.startswith((f"{address}/", "data:", "blob:"))] == []


def until(page: Any, expression: str, arg: Any = None) -> None:
    """Wait until an expression, or a function of `arg`, is true; Playwright's own way needs eval, which no page may."""
    deadline = time.monotonic() + 30
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def drawn(page: Any, name: str, size: str = "wide") -> Any:
    """Wait for a figure and return its place."""
    page.locator(f'#figure-{name}[data-drawn="{size}"]').wait_for()
    return page.locator(f"#figure-{name}")


def pixel(page: Any, label: str, lr: float, decay: float) -> tuple[float, float]:
    """Return where on the screen a cell of a map stands."""
    found = page.evaluate(
        """([label, lr, decay]) => {
          const place = document.querySelector('#figure-maps .plot');
          const has = (meta) => meta?.label === label && meta.weight_decay.includes(decay);
          const trace = place._fullData.find((each) => has(each.meta));
          place.scrollIntoView({ block: "center" });
          const box = place.getBoundingClientRect();
          const axes = [trace.xaxis, trace.yaxis].map((each) => place._fullLayout[`${each[0]}axis${each.slice(1)}`]);
          return [box.x + axes[0]._offset + axes[0].d2p(lr), box.y + axes[1]._offset + axes[1].d2p(decay)];
        }""",
        [label, lr, decay],
    )
    return found[0], found[1]
