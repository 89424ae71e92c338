"use strict";
// Dash makes all anew that stands below what a callback has changed. What a reader did there is carried over, before
// anything is laid out: what is drawn, open, scrolled or in focus.
(() => {
  const KEPT = "a, button, select, input, summary, details, [tabindex], .figure";
  const lefts = new WeakMap();
  let focused = null;
  let top = scrollY;

  // What is the same in both: by what it says, and which of several it is.
  function keyed(roots) {
    const found = new Map();
    const times = {};
    for (const one of roots.flatMap((root) => [root, ...root.querySelectorAll(KEPT)])) {
      const said = one.matches("a, button") ? one.textContent : "";
      const key = [one.tagName, one.id, one.getAttribute("href"), one.getAttribute("aria-label"), said].join(" ");
      times[key] = (times[key] ?? 0) + 1;
      found.set(`${key} ${times[key]}`, one);
    }
    return found;
  }

  function carry(before, after) {
    for (const [key, old] of before) {
      const now = after.get(key);
      if (!now || now === old) continue;
      if (old.matches(".figure")) window.robustness.figures.adopt(old, now);
      if (old.open) now.open = true;
      if (lefts.get(old)) now.scrollLeft = lefts.get(old);
      if (old === focused) now.focus({ preventScroll: true });
    }
  }

  addEventListener("scroll", (event) => {
    if (event.target === document) top = scrollY;
    else lefts.set(event.target, event.target.scrollLeft);
  }, { capture: true, passive: true });
  addEventListener("focusin", (event) => { focused = event.target; });
  addEventListener("focusout", ({ target }) => {
    // What is taken out of the page loses the focus too, and is not forgotten.
    setTimeout(() => { if (focused === target && target.isConnected) focused = null; });
  });

  new MutationObserver((changes) => {
    const elements = (nodes) => [...nodes].filter((node) => node.nodeType === Node.ELEMENT_NODE);
    for (const body of new Set(changes.map((change) => change.target).filter((one) => one.matches?.('[id$="-body"]')))) {
      const gone = changes.filter((change) => change.target === body).flatMap((change) => elements(change.removedNodes));
      if (!gone.length) continue;
      carry(keyed(gone), keyed([...body.children]));
      if (scrollY !== top) scrollTo(0, top);
    }
  }).observe(document.body, { childList: true, subtree: true });
})();
