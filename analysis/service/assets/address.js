"use strict";
// The address, a page's only state: read, and written by its controls.
window.robustness.address = (() => {
  const query = () => new URLSearchParams(location.search);
  const listeners = [];

  function go(url) {
    if (url === location.pathname + location.search) return;
    const before = location.pathname;
    history.pushState({}, "", url);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate")); // what Dash's own links say
    if (location.pathname !== before) window.scrollTo(0, 0);
    listeners.forEach((listener) => listener());
  }

  function put(changes) {
    const asked = query();
    for (const [key, value] of Object.entries(changes)) value === null ? asked.delete(key) : asked.set(key, value);
    const text = asked.toString();
    go(location.pathname + (text ? `?${text}` : ""));
  }

  // One spelling of an address, however its signs were written.
  const spelled = (path, asked) => (asked.size ? `${path}?${asked}` : path);

  // Of the page's keys, these that it has, in this order.
  function some(keys) {
    const pairs = keys.map((key) => [key, query().get(key)]).filter(([, value]) => value !== null);
    return new URLSearchParams(pairs);
  }

  window.addEventListener("popstate", () => listeners.forEach((listener) => listener()));
  return { go, onMove: (listener) => listeners.push(listener), put, query, some, spelled };
})();
