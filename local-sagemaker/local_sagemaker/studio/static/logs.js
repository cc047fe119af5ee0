// Logs: real lines, at their end or at their error; what is written meanwhile is added, at most 5,000 lines are kept.
(() => {
  "use strict";
  const MOST = 5000;
  const all = (query, within = document) => [...within.querySelectorAll(query)];
  const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  const toEnd = (box) => { box.scrollTop = box.scrollHeight; };
  const prepare = () => {
    for (const box of all(".log")) {
      if (box.dataset.ready) continue;
      box.dataset.ready = "1";
      const bad = all(".bad", box).pop(), hit = box.querySelector(".hit");
      if (hit) box.scrollTop = hit.offsetTop - box.offsetTop - 80;
      else if (box.dataset.lines) {
        if (bad && !document.querySelector("[data-running]")) box.scrollTop = bad.offsetTop - box.offsetTop - box.clientHeight + 60;
        else toEnd(box);
      }
    }
    for (const item of all("[data-copy-lines][hidden], .follow[hidden]")) item.hidden = item.matches(".follow") && !(document.querySelector(".log[data-lines]") && document.querySelector("[data-running], [data-grows]"));
    for (const item of all("[data-follow-switch]")) { const box = document.querySelector(".log[data-lines]"); if (box && !box.dataset.off) item.checked = true; }
  };
  prepare();
  document.addEventListener("studio:refreshed", prepare);

  const add = async (box) => {
    const response = await fetch(`${box.dataset.lines}&token=${encodeURIComponent(box.dataset.forward)}`);
    if (!response.ok) return;
    const part = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-forward]");
    const lines = part ? [...part.children] : [];
    if (part) box.dataset.forward = part.dataset.forward;
    if (!lines.length) return;
    const end = isAtEnd(box) && !box.dataset.off;
    lines.forEach((line) => line.removeAttribute("id"));
    let more = box.querySelector(".more-lines");
    if (more) more.before(...lines); else box.append(...lines);
    const extra = box.children.length - MOST;
    for (let at = 0; at < extra; at += 1) box.firstElementChild.remove();
    if (end) { toEnd(box); if (more) more.remove(); return; }
    if (!more) {
      more = document.createElement("button");
      more.type = "button";
      more.className = "more-lines";
      more.dataset.count = "0";
      box.append(more);
    }
    more.dataset.count = Number(more.dataset.count) + lines.length;
    more.textContent = more.dataset.count === "1" ? "1 new line" : `${more.dataset.count} new lines`;
  };

  // ---- a search goes on by itself, part by part, to its end or to 1,000 lines
  const MOST_HITS = 1000;
  let searching = false;
  const goOn = async () => {
    if (searching) return;
    searching = true;
    while (await addPart());
    searching = false;
  };
  const addPart = async () => { // whether there is another one
    const link = document.querySelector("[data-search-on]");
    const hits = link && link.closest("section"), box = hits && hits.querySelector(".log");
    if (!link || box.children.length >= MOST_HITS) return false;
    const from = link.href;
    try {
      const response = await fetch(`${from}&part=hits`);
      const part = response.ok && new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[aria-label=Hits]");
      if (!part) return false;
      if (!link.isConnected || link.href !== from) return true; // the page was made anew: from where it is now
      box.append(...part.querySelectorAll(".log > div"));
      box.hidden = !box.children.length;
      hits.querySelector("h2").replaceWith(part.querySelector("h2"));
      hits.querySelector("[data-count]").textContent = box.children.length.toLocaleString("en");
      link.parentElement.remove();
      const more = part.querySelector(".actions");
      if (more) hits.append(more);
      return Boolean(more);
    } catch { return false; /* the link is still there */ }
  };
  goOn();
  document.addEventListener("studio:refreshed", goOn);
  let busy = false;
  setInterval(async () => {
    if (busy || document.hidden || !document.querySelector("[data-running], [data-grows]")) return;
    busy = true;
    try { for (const box of all(".log[data-lines]")) await add(box); } catch { /* the stream says when the service is back */ }
    busy = false;
  }, 1000);

  document.addEventListener("click", async (event) => {
    const more = event.target.closest(".more-lines");
    if (more) { const box = more.closest(".log"); more.remove(); toEnd(box); return; }
    const number = event.target.closest(".log .n");
    if (number) { // the address of the line stays good while the log grows
      event.preventDefault();
      const box = number.closest(".log"), line = number.parentElement, address = new URL(location.href);
      for (const name of ["at", "line"]) address.searchParams.delete(name);
      address.searchParams.set("token", box.dataset.here);
      address.hash = `L${all(":scope > div", box).indexOf(line)}`;
      location.href = address;
      return;
    }
    const copier = event.target.closest("[data-copy-lines]");
    if (copier) {
      const lines = all(".log[data-here] > div").slice(-200).map((line) => line.textContent);
      try { await navigator.clipboard.writeText(lines.join("\n")); copier.textContent = `Copied ${lines.length} lines`; } catch { copier.textContent = "The browser did not allow copying"; }
    }
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-follow-switch]")) return;
    for (const box of all(".log[data-lines]")) {
      if (event.target.checked) { delete box.dataset.off; toEnd(box); } else box.dataset.off = "1";
    }
  });
})();
