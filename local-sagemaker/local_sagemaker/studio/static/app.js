// Pages work without this file. It adds live updates, keys, copying, the theme and the time zone.
(() => {
  "use strict";
  const root = document.documentElement;
  const select = (query, within = document) => within.querySelector(query);
  const cookie = (name, value) => {
    document.cookie = `${name}=${encodeURIComponent(value)}; path=/_studio; max-age=31536000; samesite=lax`;
  };
  root.classList.remove("no-script");

  // the viewer's zone: the server words times in it from the next page on
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  const isFirst = !document.cookie.includes("tz=");
  if (zone && !document.cookie.includes(`tz=${encodeURIComponent(zone)}`)) cookie("tz", zone);

  const say = (text, seconds = 4) => {
    const line = select("#status");
    line.textContent = text;
    if (seconds) setTimeout(() => { if (line.textContent === text) line.textContent = ""; }, seconds * 1000);
  };

  // ---- refresh: the same address again, morphed into place, so that focus, selection and typed text stay
  let pending = false, running = false, last = 0, lost = "";
  // what a page shows that is no longer there, or whose session has ended, stays, and says so
  const GONE = {
    401: "The session has ended: run local-sagemaker studio and open its link. This is what was here before.",
    404: "This was deleted. This is what was here before.",
  };
  const tell = (status) => {
    const text = GONE[status] || "";
    if (text) say(text, 0);
    else if (lost && select("#status").textContent === lost) say("");
    lost = text;
  };
  document.addEventListener("htmx:after:request", (event) => {
    const response = event.detail.ctx && event.detail.ctx.response;
    if (response) tell(response.status);
  });
  const isTyping = () => {
    const at = document.activeElement;
    return at && at.closest("main form") && /INPUT|TEXTAREA|SELECT/.test(at.tagName) && at.type !== "checkbox";
  };
  // the page's folds, each by its own and the outer ones' titles: others may come before it
  const folds = () => {
    const seen = {};
    return [...document.querySelectorAll("main details")].map((item) => {
      let name = "";
      for (let at = item; at; at = at.parentElement.closest("details")) name = `${(select(".key-name", at) || select("summary", at)).textContent}/${name}`;
      seen[name] = (seen[name] || 0) + 1;
      return [`${name}${seen[name]}`, item];
    });
  };
  const refresh = async () => {
    if (running) { pending = true; return; }
    running = true;
    pending = false;
    const open = new Map(folds().map(([name, item]) => [name, item.open]));
    const graph = select(".graph-box");
    const place = graph && [graph.scrollLeft, graph.scrollTop];
    try {
      await htmx.ajax("GET", location.href, { target: "#main", select: "#main", swap: "outerMorph" });
      folds().forEach(([name, item]) => { if (open.has(name)) item.open = open.get(name); });
      document.dispatchEvent(new Event("studio:refreshed"));
      const again = select(".graph-box");
      if (again && place) [again.scrollLeft, again.scrollTop] = place;
      const title = select("#main").dataset.title;
      if (title) document.title = title;
    } catch { /* the stream says when the service is back */ }
    last = Date.now();
    running = false;
    if (pending) later();
  };
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    if (isTyping() || select("dialog[open]")) { timer = setTimeout(later, 2000); return; }
    timer = setTimeout(refresh, Math.max(0, 700 - (Date.now() - last)));
  };
  if (isFirst && zone !== "UTC" && select("#main")) addEventListener("load", () => setTimeout(later, 0));

  // ---- the stream of changes
  let source = null, failures = 0, poll = 0, seen = "";
  const stop = () => { if (source) source.close(); source = null; };
  const listen = () => {
    const main = select("#main");
    const topics = main && main.dataset.topics;
    if (!topics || source || document.hidden) return;
    const after = seen || main.dataset.number;
    source = new EventSource(`/_studio/events/stream?topic=${encodeURIComponent(topics)}&after=${after}`);
    source.onopen = () => { if (failures) { say("Connected again"); later(); } failures = 0; clearInterval(poll); poll = 0; };
    source.addEventListener("change", (event) => { seen = event.lastEventId; later(); });
    source.onerror = () => {
      failures += 1;
      fetch(location.href, { method: "HEAD" }).then((response) => tell(response.status), () => {});
      if (!lost) say(`Reconnecting, last update ${new Date(last || performance.timeOrigin).toLocaleTimeString()}`, 0);
      stop();
      setTimeout(listen, Math.min(30000, 500 * 2 ** Math.min(failures, 6)) * (0.75 + Math.random() / 2));
      if (failures >= 3 && !poll) poll = setInterval(later, 5000);
    };
  };
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); else listen(); });
  addEventListener("pagehide", stop);
  listen();
  // logs and clocks of what runs have no events of their own
  setInterval(() => { if (!document.hidden && select("[data-running]")) later(); }, 2000);

  // ---- copy
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (button) {
      try { await navigator.clipboard.writeText(button.dataset.copy); } catch { return say("The browser did not allow copying"); }
      button.classList.add("done");
      say("Copied");
      setTimeout(() => button.classList.remove("done"), 1500);
      return;
    }
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog) { event.preventDefault(); dialog.showModal(); dialog.addEventListener("close", () => opener.focus(), { once: true }); }
      return;
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
    if (event.target.closest(".burger")) {
      const menu = select(".menu");
      const open = menu.classList.toggle("open");
      select(".burger").setAttribute("aria-expanded", open);
    }
    const theme = event.target.closest("[data-theme-to]");
    if (theme) {
      event.preventDefault();
      cookie("theme", theme.dataset.themeTo);
      root.dataset.theme = theme.dataset.themeTo;
      document.querySelectorAll("iframe.frame").forEach((frame) => { frame.src = `${frame.src.split("#")[0]}#${theme.dataset.themeTo}`; });
    }
    const reset = event.target.closest("[data-reset]");
    if (reset) {
      const field = document.getElementById(reset.dataset.reset);
      if (field) { field.value = reset.dataset.value; field.dispatchEvent(new Event("input", { bubbles: true })); field.focus(); }
    }
    const menu = select(".menu details[open]");
    if (menu && !event.target.closest(".menu details")) menu.open = false;
  });

  // ---- a form is sent once; what is typed into a start form survives a restart or an ended session
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method === "post") {
      form.dataset.sent = "1";
      const label = event.submitter && event.submitter.textContent.trim();
      if (label && form.id !== "open-form") sessionStorage.setItem("posted", label);
      else sessionStorage.removeItem("posted");
      setTimeout(() => delete form.dataset.sent, 8000);
    }
    for (const field of form.querySelectorAll("[data-drop-empty]")) if (!field.value) field.disabled = true;
    for (const field of form.querySelectorAll("[data-drop-default]")) if (field.value === field.dataset.dropDefault) field.disabled = true;
  });
  addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
    document.querySelectorAll("[data-drop-empty][disabled], [data-drop-default][disabled]").forEach((field) => { field.disabled = false; });
  });
  // an error has the focus; what was done is said where the page that follows does not (a response needs no words).
  // The cookie comes with the redirect that follows an action: a form that was lost is not said to be done.
  const alert = select("main > [role=alert]");
  const posted = sessionStorage.getItem("posted");
  const acted = /(?:^|; )acted=1/.test(document.cookie);
  sessionStorage.removeItem("posted");
  if (acted) document.cookie = "acted=; Path=/_studio; SameSite=Lax; Max-Age=0";
  if (alert) alert.focus();
  else if (posted && acted && performance.getEntriesByType("navigation")[0].redirectCount && !select("main > [role=status]")) say(`${posted}: done`);

  const sent = sessionStorage.getItem("form-sent");
  if (sent && location.pathname.includes("/executions/")) { // it has started: the entries are no longer needed
    sessionStorage.removeItem(sent);
    sessionStorage.removeItem("form-sent");
  }
  const kept = select("form[data-keep]");
  if (kept) {
    const name = `form:${location.pathname}${location.search}`;
    const fields = () => [...kept.elements].filter((field) => field.name && field.type !== "hidden" && field.tagName !== "BUTTON");
    const isChoice = (field) => field.type === "radio" || field.type === "checkbox";
    const before = sessionStorage.getItem(name);
    if (before && !kept.dataset.filled) {
      const values = JSON.parse(before);
      let changed = 0;
      for (const field of fields()) {
        const held = values[field.name] || [];
        if (isChoice(field)) { if (field.checked !== held.includes(field.value)) { field.checked = !field.checked; changed += 1; } }
        else if (held.length && field.value !== held[0]) { field.value = held[0]; changed += 1; }
      }
      if (changed) say("Your earlier entries are back", 10);
    }
    kept.addEventListener("input", () => {
      const values = {};
      for (const field of fields()) if (!isChoice(field) || field.checked) (values[field.name] ||= []).push(field.value);
      sessionStorage.setItem(name, JSON.stringify(values));
    });
    kept.addEventListener("submit", () => sessionStorage.setItem("form-sent", name));
    // what differs, and the command, follow what is typed
    let soon = 0, looking = null;
    const look = async () => {
      if (looking) looking.abort();
      looking = new AbortController();
      const body = new URLSearchParams(new FormData(kept));
      body.set("action", "command");
      try {
        const response = await fetch(location.href, { method: "POST", body, signal: looking.signal });
        if (!response.ok && response.status !== 422) return; // a refused value has a page of its own
        const made = new DOMParser().parseFromString(await response.text(), "text/html");
        for (const part of kept.querySelectorAll("[data-preview]")) {
          const now = made.getElementById(part.id);
          if (now && !part.contains(document.activeElement)) part.replaceChildren(...now.childNodes);
        }
        for (const field of kept.querySelectorAll(".field[id]")) { const now = made.getElementById(field.id); if (now) field.className = now.className; }
      } catch { /* the next entry looks again */ }
    };
    kept.addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(look, 300); });
    if (before) look();
  }

  // ---- sign-in: the token is in the fragment, which is sent to nobody
  const open = select("#open-form");
  if (open && location.hash.length > 20) {
    select("#token").value = location.hash.slice(1);
    open.elements.to.value = new URLSearchParams(location.search).get("to") || "";
    history.replaceState(null, "", location.pathname);
    open.submit();
  }

  // ---- the chosen tab is in sight; cells of tables that become rows on a phone carry their headings
  const dress = () => {
    document.querySelectorAll(".tabs [aria-current]").forEach((tab) => {
      const box = tab.parentElement;
      if (tab.offsetLeft + tab.offsetWidth > box.scrollLeft + box.clientWidth) box.scrollLeft = tab.offsetLeft - 24;
    });
    document.querySelectorAll("table.rows").forEach((table) => {
      const heads = [...table.querySelectorAll("thead th")].map((head) => head.classList.contains("axis") || head.querySelector(".hidden") ? "" : head.textContent.replace(/[↓↑]/g, "").trim());
      const timed = new Set([...table.querySelectorAll("tbody td > time")].map((item) => item.parentElement.cellIndex));
      table.querySelectorAll("tbody tr").forEach((row) => [...row.cells].forEach((cell, at) => {
        const first = cell.firstElementChild;
        const isClear = heads[at] === "Duration" || (timed.size === 1 && /^(Started|Created|Time|Scheduled)/.test(heads[at]));
        const isPlain = isClear || cell.tagName === "TH" || !heads[at] || (first && (first.matches("button, .button, input, form") || (first.matches(".badge") && cell.children.length === 1)));
        if (!isPlain) cell.dataset.label = heads[at];
        if (cell.textContent.trim() === "-") cell.dataset.none = "";
      }));
    });
  };
  dress();
  document.addEventListener("studio:refreshed", dress);

  // ---- keys
  let go = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = document.activeElement;
    const node = at && at.closest && at.closest("a.node");
    if (node && event.key.startsWith("Arrow")) {
      const nodes = [...node.closest("svg").querySelectorAll("a.node")];
      const box = (item) => item.getBoundingClientRect();
      const own = box(node);
      const axis = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] }[event.key];
      let best = null, least = Infinity;
      for (const other of nodes) {
        const b = box(other);
        const dx = b.x + b.width / 2 - own.x - own.width / 2, dy = b.y - own.y;
        const along = dx * axis[0] + dy * axis[1], across = Math.abs(dx * axis[1]) + Math.abs(dy * axis[0]);
        if (other !== node && along > 4 && along + 2 * across < least) { least = along + 2 * across; best = other; }
      }
      if (best) { event.preventDefault(); best.focus(); }
      return;
    }
    const menu = select(".menu details[open]");
    if (event.key === "Escape" && menu) { menu.open = false; select("summary", menu).focus(); return; }
    if (/INPUT|TEXTAREA|SELECT/.test(at && at.tagName)) return;
    const follow = (query) => { const link = select(query); if (link) { event.preventDefault(); link.click(); } };
    if (event.key === "/") { event.preventDefault(); select("#search").focus(); }
    else if (event.key === "?") { const help = select("#keys"); if (help) help.showModal(); }
    else if (event.key === "g") { go = Date.now(); return; }
    else if (Date.now() - go < 1500 && "hpmes".includes(event.key)) {
      location.href = "/_studio/" + { h: "", p: "pipelines", m: "models", e: "endpoints", s: "s3" }[event.key];
    }
    else if (event.key === "[") follow("[data-key='[']");
    else if (event.key === "]") follow("[data-key=']']");
    else if (event.key === "l") follow("[data-key='l']");
    else if (event.key === "Escape") follow("[data-key='Escape']");
    else if (event.key === "j" || event.key === "k") {
      const links = [...document.querySelectorAll("tbody th a, .needs li a")];
      const place = links.indexOf(at);
      const next = links[Math.max(0, Math.min(links.length - 1, place + (event.key === "j" ? 1 : -1)))];
      if (next) next.focus();
    }
  });
})();
