"use strict";
// The page Submit: the cluster's jobs, their logs, and stopping one. All words enter as text.
(() => {
  const EVERY_MS = 5000;
  const { part, make, ask } = window.submitting;

  let shownLog, sure, lastJobs;

  async function jobs(anew = false) {
    if (anew) shownLog = sure = lastJobs = null;
    const found = await ask("/submit/jobs");
    if (!part()) return;
    const words = { off: "This service knows no Ray cluster.", asking: "Asking the cluster.", known: "" };
    part("cluster").textContent =
      found.problem && found.state !== "known" ? `Nothing is known of the jobs: ${found.problem}` : words[found.state] ?? "";
    if (found.state !== "known") return;
    if (!found.jobs.length) part("cluster").textContent = `No study was submitted to ${found.address} yet.`;
    const drawn = JSON.stringify([found.jobs, sure]);
    if (drawn !== lastJobs) list(found.jobs);
    lastJobs = drawn;
    if (shownLog) log();
  }

  function list(found) {
    const focused = document.activeElement?.id; // drawing anew keeps the place of the keyboard
    part("jobs").replaceChildren(...found.map(row));
    if (focused?.startsWith("job-")) document.getElementById(focused)?.focus();
  }

  function row(job) {
    const item = make("li", "");
    item.append(make("strong", job.id), ` ${job.state}`, make("p", job.words || "nothing printed yet"));
    const actions = make("div", "", { className: "actions" });
    if (job.here) actions.append(make("a", job.study, { href: `/study/${encodeURIComponent(job.study)}` }));
    else actions.append(make("span", `results in ${job.results}`));
    actions.append(action(`job-log-${job.id}`, "Log", `Log of ${job.id}`, () => log(job.id)));
    if (!job.ended) actions.append(...stopping(job));
    item.append(actions);
    return item;
  }

  function action(id, words, label, onclick) {
    const button = make("button", words, { id, type: "button", onclick });
    button.setAttribute("aria-label", label);
    return button;
  }

  // Two buttons: the second one stops.
  function stopping(job) {
    const redraw = (value, focus) => {
      sure = value;
      jobs().then(() => document.getElementById(focus)?.focus());
    };
    const [first, second] = [`job-stop-${job.id}`, `job-sure-${job.id}`];
    if (sure !== job.id) return [action(first, "Stop", `Stop ${job.id}`, () => redraw(job.id, second))];
    const stop = action(second, "Stop it: running stacks finish first", `Stop ${job.id} now`, () => end(job.id));
    stop.className = "sure";
    return [stop, action(`job-keep-${job.id}`, "Let it run", `Let ${job.id} run`, () => redraw(null, first))];
  }

  async function end(id) {
    sure = null;
    part("cluster").textContent = `Stopping ${id}.`;
    const found = await ask(`/submit/stop/${encodeURIComponent(id)}`, {});
    if (!part()) return;
    await jobs();
    part("cluster").textContent = found.problem ? `Not stopped: ${found.problem}` : `${id} stops; what runs is stored first.`;
  }

  async function log(id = shownLog) {
    shownLog = id;
    const found = await ask(`/submit/log/${encodeURIComponent(id)}`);
    if (!part() || shownLog !== id) return;
    const place = part("log");
    part("log-part").hidden = false;
    part("log-name").textContent = `Log of ${id}`;
    const atEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 8;
    const words = found.problem ?? (found.text || "nothing printed yet");
    if (place.textContent === words) return;
    place.textContent = words;
    if (atEnd) place.scrollTop = place.scrollHeight;
  }

  window.submitting.jobs = jobs;
  setInterval(() => part() && !document.hidden && jobs(), EVERY_MS);
})();
