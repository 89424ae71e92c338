"use strict";
(() => {
  // The figure of a claim stands below the table: whoever asks for it is taken there.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-figure]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const keys = new URLSearchParams(location.search);
    keys.set("figure", link.dataset.figure);
    window.robustness.address.go(`${location.pathname}?${keys}`);
    const place = document.getElementById("claim-figure");
    place?.focus({ preventScroll: true });
    place?.scrollIntoView();
  }, true);
})();
