// Building the page: text is always textContent, style is always set through the CSS object model (the CSP allows neither
// inline style nor inline script, and reviews are written by strangers).
const SVG = "http://www.w3.org/2000/svg";

function fill(el, props, children) {
  for (const [k, v] of Object.entries(props || {})) {
    if (v === undefined || v === null || v === false) continue;
    if (k === "on") for (const [type, fn] of Object.entries(v)) el.addEventListener(type, fn);
    else if (k === "style") for (const [p, x] of Object.entries(v)) el.style.setProperty(p, x);
    else if (k === "data") Object.assign(el.dataset, v);
    else if (["value", "checked", "disabled", "selected", "hidden", "open", "indeterminate"].includes(k))
      el[k] = v;
    else el.setAttribute(k, v === true ? "" : v);
  }
  append(el, children);
  return el;
}

function append(el, children) {
  for (const c of children.flat(Infinity)) if (c !== undefined && c !== null && c !== false) el.append(c);
}

export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);
export const s = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);
export const clear = (el, ...children) => {
  el.replaceChildren();
  append(el, children);
  return el;
};
export const $ = (q, root = document) => root.querySelector(q);
export const $$ = (q, root = document) => [...root.querySelectorAll(q)];

let ids = 0;
export const uid = (p = "u") => `${p}-${++ids}`;

// Marks are drawn, not typed: the shapes must not depend on which fonts a machine has.
const SHAPES = {
  worse: () => s("path", { d: "M7 1.5 13 12.5H1z", fill: "currentColor" }),
  better: () => s("path", { d: "M7 12.5 1 1.5h12z", fill: "currentColor" }),
  none: () => s("path", { d: "M2 7h10", stroke: "currentColor", "stroke-width": 2.5 }),
  event: () => s("path", { d: "M7 1 13 7 7 13 1 7z", fill: "currentColor" }),
  unsure: () =>
    s("path", {
      d: "M4.2 4.6C4.3 2.8 5.5 1.8 7.1 1.8c1.7 0 2.9 1 2.9 2.5 0 2.3-2.9 2.3-2.9 4.7M7.1 11.4v1.4",
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.9,
    }),
  hidden: () => [
    s("rect", { x: 1.5, y: 1.5, width: 11, height: 11, fill: "none", stroke: "currentColor" }),
    s("path", { d: "M2 8 8 2M2 12 12 2M6 12l6-6", stroke: "currentColor" }),
  ],
  wide: () => s("path", { d: "M1 7h12M1 4v6M13 4v6", stroke: "currentColor", "stroke-width": 1.6 }),
  running: () =>
    s("circle", {
      cx: 7,
      cy: 7,
      r: 5,
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.6,
      "stroke-dasharray": "2.4 2",
    }),
  made: () => s("path", { d: "M2 7.5 5.5 11 12 3", fill: "none", stroke: "currentColor", "stroke-width": 2 }),
  failed: () => s("path", { d: "M3 3l8 8M11 3l-8 8", stroke: "currentColor", "stroke-width": 2 }),
};

export function icon(name) {
  return s(
    "svg",
    { class: "icon", width: 14, height: 14, viewBox: "0 0 14 14", "aria-hidden": "true", focusable: "false" },
    SHAPES[name]?.(),
  );
}

export function say(text) {
  const live = $("#live");
  if (live && live.textContent !== text) live.textContent = text;
}

const tip = () => $("#tip");
export function showTip(lines, x, y) {
  const el = tip();
  clear(
    el,
    lines.map((line, i) => h(i ? "div" : "strong", null, line)),
  );
  el.hidden = false;
  const w = el.offsetWidth,
    hgt = el.offsetHeight;
  el.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - w - 8))}px`;
  el.style.top = `${y + 14 + hgt > innerHeight - 8 ? Math.max(8, y - hgt - 10) : y + 14}px`;
}
export function hideTip() {
  const el = tip();
  if (el) el.hidden = true;
}
export function tipped(el, lines) {
  el.addEventListener("pointermove", (e) => {
    if (e.pointerType !== "touch") showTip(lines(), e.clientX, e.clientY);
  });
  el.addEventListener("pointerleave", hideTip);
  el.addEventListener("focus", () => {
    const r = el.getBoundingClientRect();
    showTip(lines(), r.left + r.width / 2, r.bottom);
  });
  el.addEventListener("blur", hideTip);
  return el;
}

// Watch the width an element gets, draw at that width.
export function drawn(el, draw) {
  let width = 0;
  const ro = new ResizeObserver(([entry]) => {
    const w = Math.floor(entry.contentRect.width);
    if (w && w !== width) {
      width = w;
      clear(el, draw(w));
    }
  });
  ro.observe(el);
  return el;
}

// A key of the page must not act while somebody writes, gives a command to the browser, or a dialog is open.
export const isTyping = (e) =>
  e.ctrlKey ||
  e.metaKey ||
  e.altKey ||
  /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) ||
  !!document.querySelector("dialog[open]");
