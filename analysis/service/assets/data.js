"use strict";
(() => {
  // What the address says is the only state: a filter is added by going to the address that has it.
  const go = (keys) => window.robustness.address.go(`${location.pathname}?${keys}`);

  function input() {
    const place = document.getElementById("filter-value");
    if (!place) return null;
    if (!place.firstChild) {
      const made = document.createElement("input");
      made.type = "text";
      made.placeholder = "empty: not recorded";
      made.setAttribute("aria-label", "value");
      place.append(made);
    }
    return place.firstChild;
  }

  function operators() {
    const column = document.getElementById("filter-column");
    const text = column.selectedOptions[0]?.dataset.text === "1";
    const operator = document.getElementById("filter-operator");
    for (const option of operator.options) option.disabled = text && !["=", "!="].includes(option.value);
    if (operator.selectedOptions[0]?.disabled) operator.value = "=";
  }

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "filter") return;
    event.preventDefault();
    const [column, operator] = ["column", "operator"].map((name) => document.getElementById(`filter-${name}`).value);
    const keys = new URLSearchParams(location.search);
    keys.append("where", `${column}${operator}${input().value.trim()}`);
    keys.delete("page");
    input().value = "";
    go(keys);
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "filter-column") operators();
  });

  new MutationObserver(() => {
    if (document.getElementById("filter-value")?.firstChild === null) {
      input();
      document.getElementById("filter-column").value = "lr";
      operators();
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
