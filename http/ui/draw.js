// SPDX-License-Identifier: MIT
//
// Words and shapes that all parts of the page use. Whatever strangers wrote (names, tags, payloads) becomes text, never markup.

export const at = (id) => document.getElementById(id);

export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export const facts = (list, pairs) => list.replaceChildren(...Object.entries(pairs).filter(([, value]) => value !== undefined && value !== "")
  .flatMap(([key, value]) => [make("dt", "", key), make("dd", "", value instanceof Node ? value : String(value))]));

export function age(ms, now = Date.now()) {
  const s = Math.max(0, Math.round((now - ms) / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

export function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  for (; n >= 1024 && i + 1 < units.length; i++) n /= 1024;
  return `${n < 10 && i > 0 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

export const short = (n) => (n >= 10000 ? `${(n / 1000).toFixed(n >= 100000 ? 0 : 1)}k` : n >= 100 || Number.isInteger(n) ? String(Math.round(n)) : n.toFixed(1));
export const milliseconds = (ms) => (ms === undefined ? "" : ms < 1 ? `${ms.toFixed(2)} ms` : ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);
export const endpoint = (m) => (m.addr.includes(":") ? `[${m.addr}]:${m.port}` : `${m.addr}:${m.port}`);
export const tagsOf = (m) => Object.entries(m.tags ?? {}).map(([key, value]) => `${key}=${value}`);

// A line for each list of numbers, all on one scale.
export function sparkline(box, lists) {
  const [width, height] = [120, 28];
  const top = Math.max(1e-9, ...lists.flat());
  const count = Math.max(2, ...lists.map((list) => list.length));
  const points = (list) => list.map((value, i) => `${((i + count - list.length) * width / (count - 1)).toFixed(1)},${(height - 2 - value / top * (height - 4)).toFixed(1)}`);
  box.setAttribute("viewBox", `0 0 ${width} ${height}`);
  box.setAttribute("preserveAspectRatio", "none");
  box.replaceChildren(...lists.flatMap((list, i) => (list.length < 2 ? [] : [
    ...(i === 0 ? [svg("polygon", { points: `${width - (list.length - 1) * width / (count - 1)},${height} ${points(list).join(" ")} ${width},${height}`, class: "area" })] : []),
    svg("polyline", { points: points(list).join(" "), class: `line${i}` })])));
}

const words = {
  reason: "", accuser: "says", incarnation: "incarnation", confirmations: "confirmations", confirmations_wanted: "of", timer_ran_ms: "timer ran (ms)",
  timer_min_ms: "shortest timer (ms)", timer_max_ms: "longest timer (ms)", own_health: "own health score", own_pause_ms: "own pause (ms)",
  probe_direct: "ping", probe_indirect: "through relays", probe_stream: "stream", probe_relays_asked: "relays asked", probe_nacks: "relays without an answer",
  probe_acks: "relays with an answer", probe_waited_ms: "waited (ms)",
};

const flat = (cause) => Object.entries(cause ?? {}).flatMap(([key, value]) =>
  (value !== null && typeof value === "object" ? Object.entries(value).map(([k, v]) => [`${key}_${k}`, v]) : [[key, value]]));

export const inWords = (cause) => flat(cause).map(([key, value]) => `${words[key] ?? key} ${value}`.trim()).join(" · ");

export const statusOf = (event) => ({ "member-join": "alive", "member-alive": "alive", "member-suspect": "suspect", "member-failed": "failed",
  "member-leave": "left", "member-reap": "left", "member-update": "mark", user: "mark", query: "mark", conflict: "failed", "foreign-cluster": "failed" })[event] ?? "";

export function line(ms, title, status, cause) {
  const time = make("time", "", new Date(ms).toLocaleTimeString());
  time.dateTime = new Date(ms).toISOString();
  time.title = new Date(ms).toLocaleString();
  return make("li", status, make("div", "what", make("span", "title", title), time), cause ? make("div", "cause", cause) : null);
}
