// The graph's zoom and drag, one selection of graph and grid, and a range of the timeline by dragging.
(() => {
  "use strict";
  const all = (query, within = document) => [...within.querySelectorAll(query)];
  let zoom = Number(sessionStorage.getItem("zoom")) || 0; // 0: by itself: to fit where 70 % suffice, else 80 %

  const sizes = (graph) => graph.getAttribute("viewBox").split(" ").slice(2).map(Number);
  const room = (graph) => {
    const box = graph.parentElement;
    return [box.clientWidth - 24, Math.max(200, box.clientHeight - 24)];
  };
  const scaleOf = (graph) => {
    const [width] = sizes(graph), [free] = room(graph);
    const fits = free / width;
    return zoom || (free > 0 ? (fits < 0.7 ? 0.8 : Math.min(1, fits)) : 1);
  };
  const fit = () => all("svg.graph").forEach((graph) => {
    const [width, height] = sizes(graph), scale = scaleOf(graph);
    graph.setAttribute("width", Math.round(width * scale));
    graph.setAttribute("height", Math.round(height * scale));
  });
  const show = () => {
    all(".zoom[hidden]").forEach((item) => { item.hidden = false; });
    fit();
  };
  const setZoom = (graph, value, at) => {
    const box = graph.parentElement, before = scaleOf(graph);
    zoom = Math.min(3, Math.max(0.1, value));
    sessionStorage.setItem("zoom", zoom);
    fit();
    const x = at ? at.x : box.clientWidth / 2, y = at ? at.y : box.clientHeight / 2;
    box.scrollLeft = (box.scrollLeft + x) * (zoom / before) - x;
    box.scrollTop = (box.scrollTop + y) * (zoom / before) - y;
  };
  const intoView = () => (all(".graph .chosen .box").slice(-1).concat(all(".graph .node[tabindex='0'] .box"))).slice(0, 1).forEach((node) => {
    const box = node.closest(".graph-box"), a = node.getBoundingClientRect(), b = box.getBoundingClientRect();
    if (a.top < b.top || a.bottom > b.bottom) box.scrollTop += a.top - b.top - b.height / 2;
    if (a.left < b.left || a.right > b.right) box.scrollLeft += a.left - b.left - b.width / 2;
  });
  show();
  intoView();
  addEventListener("resize", fit);
  document.addEventListener("studio:refreshed", show);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    const graph = button && button.closest("[data-graph]").querySelector("svg.graph");
    if (!graph) return;
    const [width, height] = sizes(graph), [free, tall] = room(graph), now = scaleOf(graph);
    setZoom(graph, { in: now * 1.25, out: now / 1.25, fit: Math.min(free / width, tall / height, 1) }[button.dataset.zoom] || 1);
  });
  document.addEventListener("wheel", (event) => {
    const box = event.ctrlKey && event.target.closest && event.target.closest(".graph-box");
    const graph = box && box.querySelector("svg.graph");
    if (!graph) return;
    event.preventDefault();
    const place = box.getBoundingClientRect();
    setZoom(graph, scaleOf(graph) * (event.deltaY < 0 ? 1.1 : 1 / 1.1), { x: event.clientX - place.x, y: event.clientY - place.y });
  }, { passive: false });

  // ---- drag the graph; a drag is no click
  let drag = null;
  document.addEventListener("pointerdown", (event) => {
    const box = event.pointerType === "mouse" && event.button === 0 && event.target.closest(".graph-box");
    if (box) drag = { box, x: event.clientX, y: event.clientY, left: box.scrollLeft, top: box.scrollTop, moved: false };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (Math.abs(dx) + Math.abs(dy) > 6) { drag.moved = true; drag.box.classList.add("dragging"); }
    if (drag.moved) { drag.box.scrollLeft = drag.left - dx; drag.box.scrollTop = drag.top - dy; }
  });
  document.addEventListener("pointerup", () => {
    if (!drag) return;
    drag.box.classList.remove("dragging");
    if (drag.moved) addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); }, { capture: true, once: true });
    setTimeout(() => { drag = null; }, 0);
  });
  document.addEventListener("dragstart", (event) => { if (event.target.closest && event.target.closest(".graph")) event.preventDefault(); });

  // ---- focus in one view marks the others
  const mark = (name) => {
    all(".also").forEach((item) => item.classList.remove("also"));
    if (name) all("[data-step]").forEach((item) => { if (item.dataset.step === name) item.classList.add("also"); });
  };
  const named = (event) => event.target.closest && event.target.closest("[data-step]");
  document.addEventListener("focusin", (event) => { const item = named(event); mark(item && item.dataset.step); });
  document.addEventListener("mouseover", (event) => { const item = named(event); mark(item && item.dataset.step); });

  // ---- a dragged range of the timeline zooms it
  let range = null;
  document.addEventListener("pointerdown", (event) => {
    const cell = event.pointerType === "mouse" && event.button === 0 && event.target.closest(".axis-cell");
    if (!cell) return;
    const strip = document.createElement("div");
    strip.className = "axis-range";
    cell.append(strip);
    range = { cell, strip, box: cell.querySelector("svg").getBoundingClientRect(), x: event.clientX };
  });
  document.addEventListener("pointermove", (event) => {
    if (!range) return;
    const [a, b] = [range.x, event.clientX].sort((x, y) => x - y);
    const origin = range.cell.getBoundingClientRect().x;
    range.strip.style.left = `${a - origin}px`;
    range.strip.style.width = `${b - a}px`;
  });
  document.addEventListener("pointerup", (event) => {
    if (!range) return;
    const { cell, strip, box, x } = range;
    range = null;
    strip.remove();
    const share = (at) => Math.min(1, Math.max(0, (at - box.x) / box.width));
    const [a, b] = [share(x), share(event.clientX)].sort((one, other) => one - other);
    if (b - a < 0.02) return;
    const { first, last, start } = cell.closest("tbody").dataset;
    const span = last - first, address = new URL(location.href);
    address.searchParams.set("from", (first - start + a * span).toFixed(3));
    address.searchParams.set("to", (first - start + b * span).toFixed(3));
    location.href = address;
  });
})();
