"use strict";
(() => {
  // A toggle puts its study into the address, or takes it out; toggles and page follow the address.
  const toggles = () => document.querySelectorAll("button[data-study]");
  const chosen = () => new URLSearchParams(location.search).getAll("study");

  function settle() {
    const names = chosen();
    for (const one of toggles()) {
      const pressed = String(names.includes(one.dataset.study));
      if (one.getAttribute("aria-pressed") !== pressed) one.setAttribute("aria-pressed", pressed);
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-study]");
    if (!button) return;
    const name = button.dataset.study;
    const names = chosen().filter((one) => one !== name);
    if (button.getAttribute("aria-pressed") !== "true") names.push(name);
    const keys = new URLSearchParams(names.map((one) => ["study", one]));
    window.robustness.address.go(location.pathname + (names.length ? `?${keys}` : ""));
    settle();
  });
  addEventListener("popstate", settle);
  addEventListener("_dashprivate_pushstate", settle);
})();
