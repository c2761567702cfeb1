// SPDX-License-Identifier: MIT
//
// The map: members by their network coordinates, so that near means a short round trip. Of the eight dimensions the plane shows the two in
// which members differ most (principal components); rings around this node are round trips.

import { at, endpoint, milliseconds, svg, make, tagsOf } from "./draw.js";

let placed = [], axes = [], view = { zoom: 1, x: 0, y: 0 }, active = "", chosen = "", onChoose = () => {}, others = new Map();
const LABELS_MOST = 90, ORDER = ["none", "alive", "leaving", "suspect", "failed"];

// ---- the plane

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const unit = (v) => { const length = Math.hypot(...v); return length > 1e-15 ? v.map((x) => x / length) : null; };

function strongest(matrix, start, avoid) {
  let v = start;
  for (let i = 0; i < 60; i++) {
    let w = matrix.map((row) => dot(row, v));
    for (const a of avoid) { const along = dot(w, a); w = w.map((x, k) => x - along * a[k]); }
    v = unit(w) ?? v;
  }
  for (const a of avoid) { const along = dot(v, a); v = unit(v.map((x, k) => x - along * a[k])) ?? v; }
  return v;
}

function project(members) {
  const size = members[0].coordinate.length;
  const mean = members[0].coordinate.map((_, i) => members.reduce((sum, m) => sum + m.coordinate[i], 0) / members.length);
  const centred = members.map((m) => m.coordinate.map((x, i) => x - mean[i]));
  const matrix = mean.map((_, i) => mean.map((__, k) => centred.reduce((sum, v) => sum + v[i] * v[k], 0)));
  const found = [];
  for (let n = 0; n < 2; n++) {
    const start = axes[n] ?? mean.map((_, i) => (i === n ? 1 : 0.1 / (i + 1)));
    const axis = strongest(matrix, start.length === size ? start : mean.map((_, i) => (i === n ? 1 : 0)), found);
    found.push(axes[n] && dot(axis, axes[n]) < 0 ? axis.map((x) => -x) : axis); /* the map does not flip over */
  }
  axes = found;
  return centred.map((v) => [dot(v, axes[0]), dot(v, axes[1])]);
}

function layOut() {
  const box = at("map"), width = box.clientWidth || 600, height = box.clientHeight || 360;
  const xs = placed.map((p) => p.at[0]), ys = placed.map((p) => p.at[1]);
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = Math.min((width - 90) / Math.max(right - left, 1e-6), (height - 70) / Math.max(high - low, 1e-6)) * view.zoom;
  for (const p of placed) {
    p.x = width / 2 + (p.at[0] - (left + right) / 2) * scale + view.x;
    p.y = height / 2 + (p.at[1] - (low + high) / 2) * scale + view.y;
  }
  return { width, height, scale };
}

// ---- drawing

function rings({ width, height, scale }) {
  const own = placed.find((p) => p.m.self);
  if (!own) return [];
  const wanted = 80 / scale, power = 10 ** Math.floor(Math.log10(wanted)), step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= wanted);
  const most = Math.min(12, Math.ceil(Math.hypot(width, height) / (step * scale)));
  return Array.from({ length: most }, (_, i) => (i + 1) * step).flatMap((span) => [
    svg("circle", { cx: own.x, cy: own.y, r: span * scale, class: "ring" }),
    label(own.x, own.y - span * scale - 3, milliseconds(span * 1000), "ring-label")]);
}

function label(x, y, text, className, anchor = "middle") {
  const element = svg("text", { x: x.toFixed(1), y: y.toFixed(1), class: className, "text-anchor": anchor });
  element.textContent = text;
  return element;
}

const weight = (p) => (p.m.name === active ? 5 : p.m.name === chosen ? 4 : p.m.self ? 3 : p.m.status === "alive" ? 0 : 2);

// As many names as fit without covering each other, the interesting first.
function labels({ width, height }) {
  const taken = placed.map((p) => [p.x - 4, p.y - 4, p.x + 4, p.y + 4, p]);
  const shown = [];
  for (const p of placed.toSorted((a, b) => weight(b) - weight(a))) {
    if (shown.length >= LABELS_MOST) break;
    if (p.x < 0 || p.x > width || p.y < 0 || p.y > height) continue;
    const name = p.m.name.length > 24 ? `${p.m.name.slice(0, 23)}…` : p.m.name, long = name.length * 6.6;
    for (const [x, anchor] of [[p.x + 10, "start"], [p.x - 10, "end"]]) {
      const from = anchor === "start" ? x : x - long, box = [from, p.y - 7, from + long, p.y + 7];
      if (from < 0 || from + long > width) continue;
      if (weight(p) < 3 && taken.some((t) => t[4] !== p && t[0] < box[2] && t[2] > box[0] && t[1] < box[3] && t[3] > box[1])) continue;
      taken.push(box);
      shown.push(label(x, p.y + 4, name, `label ${weight(p) > 2 ? "strong" : ""}`, anchor));
      break;
    }
  }
  return shown;
}

function draw() {
  const box = at("map"), room = layOut();
  box.setAttribute("viewBox", `0 0 ${room.width} ${room.height}`);
  const radius = placed.length > 300 ? 3.5 : placed.length > 60 ? 5 : 6.5;
  const dots = placed.map((p, i) => {
    const point = svg("circle", { id: `dot-${i}`, cx: p.x.toFixed(1), cy: p.y.toFixed(1), r: p.m.self ? radius + 2.5 : radius, role: "option",
      class: `dot ${p.m.status} ${p.m.self ? "own" : ""}`, "aria-selected": String(p.m.name === chosen), "aria-label": `${p.m.name}, ${p.m.status}, ${milliseconds(p.m.rtt_ms)}` });
    point.dataset.name = p.m.name;
    return point;
  });
  const marks = placed.filter((p) => p.m.name === chosen || p.m.name === active)
    .map((p) => svg("circle", { cx: p.x, cy: p.y, r: radius + 6, class: p.m.name === chosen ? "halo" : "halo faint" }));
  box.replaceChildren(svg("g", { "aria-hidden": "true" }, ...rings(room)), svg("g", { id: "arcs", "aria-hidden": "true" }), svg("g", { "aria-hidden": "true" }, ...marks),
    ...dots, svg("g", { "aria-hidden": "true", class: "names" }, ...labels(room)));
  const index = placed.findIndex((p) => p.m.name === active);
  if (index >= 0) box.setAttribute("aria-activedescendant", `dot-${index}`);
  tip(placed[index]);
}

function tip(p) {
  const box = at("map-tip");
  box.hidden = !p;
  if (!p) return;
  const rtt = p.m.self ? "this node" : p.m.rtt_ms === undefined ? "round trip not known" : `${milliseconds(p.m.rtt_ms)} from here`;
  box.replaceChildren(make("strong", "", p.m.name), make("span", `status ${p.m.status}`, p.m.status), make("span", "", rtt), make("span", "dim", endpoint(p.m)),
    make("span", "dim", tagsOf(p.m).join("  ")));
  const width = at("map").clientWidth, right = p.x > width / 2;
  box.style.left = right ? "" : `${p.x + 16}px`;
  box.style.right = right ? `${width - p.x + 16}px` : "";
  box.style.top = `${Math.max(4, p.y - 20)}px`;
}

export function showMap(members, selected) {
  const able = members.filter((m) => Array.isArray(m.coordinate) && m.coordinate.length > 1 && m.status !== "left");
  chosen = selected;
  at("map-empty").hidden = able.length >= 2;
  at("map-frame").hidden = able.length < 2;
  at("map-title").textContent = able.length === members.length ? "Map by round trips" : `Map by round trips (${able.length} of ${members.length} are placed)`;
  if (able.length < 2 || at("map-section").hidden) return;
  able.sort((a, b) => a.self - b.self || ORDER.indexOf(a.status) - ORDER.indexOf(b.status) ); /* trouble lies on top, this node above it */
  const points = project(able);
  placed = able.map((m, i) => ({ m, at: points[i] }));
  others = new Map(placed.map((p) => [p.m.name, p]));
  draw();
}

// Somebody said something about a member: a line from who said it, for a moment.
export function showWord(from, about, status) {
  const [a, b] = [others.get(from), others.get(about)], arcs = at("arcs");
  if (!a || !b || !arcs || a === b) return;
  const bend = [(a.x + b.x) / 2 + (a.y - b.y) / 6, (a.y + b.y) / 2 + (b.x - a.x) / 6];
  const arc = svg("path", { d: `M${a.x} ${a.y} Q${bend[0]} ${bend[1]} ${b.x} ${b.y}`, class: `arc ${status}` });
  arcs.append(arc);
  setTimeout(() => arc.remove(), 4000);
}

// ---- hand and keyboard

function nearest(x, y, most) {
  let best = null;
  for (const p of placed) {
    const far = Math.hypot(p.x - x, p.y - y);
    if (far < most) [best, most] = [p, far];
  }
  return best;
}

function step(dx, dy) {
  const from = placed.find((p) => p.m.name === active) ?? placed.find((p) => p.m.self) ?? placed[0];
  let best = null, least = Infinity;
  for (const p of placed) {
    const along = (p.x - from.x) * dx + (p.y - from.y) * dy, across = Math.abs((p.x - from.x) * dy - (p.y - from.y) * dx);
    if (p !== from && along > 0.5 && along + 2 * across < least) [best, least] = [p, along + 2 * across];
  }
  active = (active ? best : from)?.m.name ?? active;
  draw();
}

function zoom(factor, x, y) {
  const box = at("map"), next = Math.min(64, Math.max(0.5, view.zoom * factor)), by = next / view.zoom;
  const [cx, cy] = [(x ?? box.clientWidth / 2) - box.clientWidth / 2, (y ?? box.clientHeight / 2) - box.clientHeight / 2];
  view = { zoom: next, x: cx - (cx - view.x) * by, y: cy - (cy - view.y) * by };
  draw();
}

export function startMap(choose) {
  const box = at("map");
  const place = (event) => { const r = box.getBoundingClientRect(); return [event.clientX - r.left, event.clientY - r.top]; };
  let drag = null;
  onChoose = choose;
  box.addEventListener("pointerdown", (event) => { drag = { from: place(event), x: view.x, y: view.y, moved: false }; });
  box.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (drag && event.buttons) {
      drag.moved ||= Math.hypot(x - drag.from[0], y - drag.from[1]) > 4;
      if (drag.moved) { view = { ...view, x: drag.x + x - drag.from[0], y: drag.y + y - drag.from[1] }; draw(); }
      return;
    }
    const name = nearest(x, y, 16)?.m.name ?? "";
    if (name !== active) { active = name; draw(); }
  });
  box.addEventListener("pointerleave", () => { if (active) { active = ""; draw(); } });
  box.addEventListener("click", (event) => { if (!drag?.moved) onChoose(nearest(...place(event), 16)?.m.name ?? ""); });
  box.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, ...place(event)); }, { passive: false });
  box.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    if (moves[event.key]) step(...moves[event.key]);
    else if (event.key === "Enter" && active) onChoose(active);
    else if (event.key === "+" || event.key === "=") zoom(1.4);
    else if (event.key === "-") zoom(1 / 1.4);
    else if (event.key === "0") { view = { zoom: 1, x: 0, y: 0 }; draw(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  at("map-in").addEventListener("click", () => zoom(1.4));
  at("map-out").addEventListener("click", () => zoom(1 / 1.4));
  at("map-whole").addEventListener("click", () => { view = { zoom: 1, x: 0, y: 0 }; draw(); });
  new ResizeObserver(() => { if (placed.length > 1 && !at("map-section").hidden) draw(); }).observe(box);
}
