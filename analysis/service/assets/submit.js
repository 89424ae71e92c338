"use strict";
// The page Submit: its text is checked as it is typed, and started. All words enter as text.
(() => {
  const WAIT_MS = 400;
  const part = (name) => document.getElementById(name ? `submit-${name}` : "submit");

  let built = null; // the element of this page's visit
  let file = "";
  let before = null; // the text that another one replaced
  let waiting, checked;

  function make(tag, words, more = {}) {
    return Object.assign(document.createElement(tag), { textContent: words }, more);
  }

  async function ask(path, body) {
    const sent = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    try {
      const answer = await fetch(path, sent);
      if (answer.status === 401) return { problem: "sign in again: load the page anew" };
      if (answer.status === 413) return { problem: tooLarge() };
      const isJson = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
      const found = isJson ? await answer.json() : { text: await answer.text() };
      if (answer.ok || found.problem) return found;
      return { problem: (found.text ?? "").slice(0, 300) || `the service answers ${answer.status}` };
    } catch {
      return { problem: "the service does not answer" };
    }
  }

  // The text and its lines

  function number() {
    const count = part("text").value.split("\n").length;
    part("lines").textContent = Array.from({ length: count }, (_, i) => i + 1).join("\n");
    part("lines").scrollTop = part("text").scrollTop;
  }

  function put(text, name) {
    const old = part("text").value;
    before = old.trim() && old !== text ? { text: old, file } : null;
    part("back").hidden = before === null;
    file = name;
    part("text").value = text;
    changed(0);
  }

  // Whoever looks at a study and comes back finds what was written, in this tab.
  function keep() {
    try {
      sessionStorage.setItem("submit", JSON.stringify({ text: part("text").value, file, from: part("from").value }));
    } catch {
      // No storage, or it is full: then the text is not kept.
    }
  }

  function kept() {
    try {
      return JSON.parse(sessionStorage.getItem("submit"));
    } catch {
      return null;
    }
  }

  function changed(wait = WAIT_MS) {
    number();
    keep();
    clearTimeout(waiting);
    checked = null;
    part("start").disabled = true;
    waiting = setTimeout(check, wait);
  }

  function go(line) {
    const text = part("text");
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    text.scrollTop = (text.scrollHeight / lines.length) * Math.max(0, line - 5);
  }

  // Check and plan

  function state(words) {
    part("state").textContent = words;
  }

  function empty() {
    part("problems").replaceChildren();
    part("plan").hidden = true;
  }

  async function check() {
    const text = part("text").value;
    if (!text.trim()) {
      empty();
      state("Write or pick a study file.");
      return;
    }
    if (text.length > Number(part().dataset.most)) {
      empty();
      state(tooLarge());
      return;
    }
    const price = parseFloat(part("price").querySelector("input").value);
    const mine = { text, file, price: Number.isFinite(price) ? price : null };
    checked = mine;
    state("Checking.");
    const found = await ask("/submit/check", mine);
    if (checked !== mine || !part()) return; // typed on meanwhile, or left
    empty();
    if (found.problem) state(`Not checked: ${found.problem}`);
    else if (found.problems.length) wrong(found.problems);
    else right(found);
  }

  function wrong(problems) {
    state(`${problems.length} problem${problems.length > 1 ? "s" : ""}: nothing can be started yet.`);
    part("problems").replaceChildren(
      ...problems.map(({ line, key, message }) => {
        const item = make("li", "");
        const button = make("button", "", { type: "button", onclick: () => go(line ?? 1) });
        const place = [line && `line ${line}`, key].filter(Boolean).join(", ");
        if (place) button.append(make("small", place));
        button.append(message);
        item.append(button);
        return item;
      })
    );
  }

  function right(found) {
    state(`No problems. It will be stored as ${found.name}.`);
    part("plan").textContent = found.plan.join("\n");
    part("plan").hidden = false;
    part("start").disabled = false;
  }

  const tooLarge = () => `A study file has at most ${Math.floor(Number(part().dataset.most) / 1000)} kB.`;

  async function start() {
    const mine = checked;
    if (!mine) return;
    part("start").disabled = true;
    part("started").textContent = "Starting: the cluster takes a few seconds.";
    const found = await ask("/submit/start", { text: mine.text, file: mine.file });
    if (!part()) return;
    part("started").textContent = found.problem
      ? `Not started: ${found.problem}`
      : found.new
        ? `Started as ${found.job}.`
        : `${found.job} is running already; nothing new was started.`;
    part("start").disabled = checked !== mine;
    window.submitting.jobs();
  }

  async function open(chosen) {
    if (!chosen) return;
    if (chosen.size > Number(part().dataset.most)) {
      state(`${chosen.name} is not opened. ${tooLarge()}`);
      return;
    }
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(await chosen.arrayBuffer());
      put(text, chosen.name);
    } catch {
      state(`${chosen.name} is not opened: it is not UTF-8 text.`);
    }
  }

  async function begin(name) {
    const address = new URL(location.href);
    if (name) address.searchParams.set("from", name);
    else address.searchParams.delete("from");
    history.replaceState(history.state, "", address);
    if (!name) return;
    const found = await ask(`/submit/study/${name.split("/").map(encodeURIComponent).join("/")}`);
    if (!part()) return;
    if (found.problem) state(`Not opened: ${found.problem}`);
    else put(found.text, `${name.split("/").at(-1)}.yaml`);
  }

  // The page comes and goes with the address, without being loaded.

  function build() {
    const page = part();
    if (!page || page === built) return;
    built = page;
    file = "";
    before = checked = null;
    const picker = make("input", "", { type: "file", accept: ".yaml,.yml,text/plain", onchange: () => open(picker.files[0]) });
    const price = make("input", "", { type: "number", min: 0, step: "any", inputMode: "decimal", oninput: () => changed() });
    part("file").append(picker);
    part("price").append(price);
    part("text").addEventListener("input", () => changed());
    part("text").addEventListener("scroll", () => (part("lines").scrollTop = part("text").scrollTop));
    part("from").addEventListener("change", (event) => begin(event.target.value));
    part("back").addEventListener("click", () => put(before.text, before.file));
    part("start").addEventListener("click", start);
    part("from").value = part("from").dataset.value;
    const last = kept();
    if (last?.text && last.from === part("from").value) put(last.text, last.file);
    else begin(part("from").value);
    window.submitting.jobs(true);
  }

  window.submitting = { part, make, ask };
  new MutationObserver(build).observe(document, { childList: true, subtree: true });
})();
