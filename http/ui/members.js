// SPDX-License-Identifier: MIT
//
// The table of members. A row is made anew only when what it shows has changed, so that a thousand of them cost little.

import { age, at, endpoint, make, milliseconds, tagsOf } from "./draw.js";

const ORDER = ["failed", "suspect", "leaving", "alive", "left", "none"];
const columns = [
  ["name", "Name", (m) => m.name],
  ["status", "Status", (m) => ORDER.indexOf(m.status)],
  ["rtt_ms", "RTT", (m) => m.rtt_ms ?? (m.self ? -1 : Infinity)],
  ["addr", "Address", (m) => m.addr.padStart(45)],
  ["since_ms", "Since", (m) => -m.since_ms],
  ["tags", "Tags", (m) => tagsOf(m).join()],
];
const natural = new Intl.Collator(undefined, { numeric: true });
const rows = new Map();
let sort = "status", isDescending = false;

function compare(a, b) {
  const value = columns.find(([key]) => key === sort)[2];
  const [x, y] = [value(a), value(b)];
  const order = typeof x === "string" ? natural.compare(x, y) : x - y;
  return (isDescending ? -order : order) || natural.compare(a.name, b.name);
}

function cells(m, slowest) {
  const bar = make("span", "bar");
  bar.style.width = `${m.rtt_ms === undefined ? 0 : Math.max(2, 48 * m.rtt_ms / slowest)}px`;
  return [
    make("td", "name", make("span", "text", m.name), m.self ? make("span", "tag own", "this node") : null),
    make("td", "", make("span", `status ${m.status}`, m.status)),
    make("td", "number rtt", m.self ? "–" : milliseconds(m.rtt_ms), bar),
    make("td", "number address", endpoint(m)),
    make("td", "number since", age(m.since_ms)),
    make("td", "tags", ...tagsOf(m).map((tag) => make("span", "tag", tag))),
  ];
}

function rowOf(m, slowest, selected) {
  const shown = JSON.stringify([m.status, m.rtt_ms?.toPrecision(2), m.addr, m.port, age(m.since_ms), m.tags, slowest.toPrecision(2)]);
  let row = rows.get(m.name);
  if (!row) {
    row = { line: make("tr"), shown: "" };
    row.line.tabIndex = -1;
    row.line.dataset.name = m.name;
    rows.set(m.name, row);
  }
  if (row.shown !== shown) {
    row.line.replaceChildren(...cells(m, slowest));
    row.shown = shown;
  }
  row.line.setAttribute("aria-selected", String(m.name === selected));
  return row.line;
}

export function showMembers(shown, all, selected) {
  const slowest = shown.reduce((most, m) => Math.max(most, m.rtt_ms ?? 0), 1e-3);
  const lines = shown.toSorted(compare).map((m) => rowOf(m, slowest, selected));
  const body = at("members"), focused = document.activeElement;
  if (body.children.length !== lines.length || lines.some((one, i) => body.children[i] !== one)) {
    body.replaceChildren(...lines);
    if (focused?.matches?.("tr[data-name]") && focused.isConnected) focused.focus({ preventScroll: true });
  }
  for (const name of rows.size > all.length ? [...rows.keys()] : []) {
    if (!all.some((m) => m.name === name)) rows.delete(name);
  }
  if (lines.length > 0 && !lines.some((one) => one.tabIndex === 0)) lines[0].tabIndex = 0;
  at("none").hidden = shown.length > 0;
  at("members-title").textContent = shown.length === all.length ? `Members (${shown.length})` : `Members (${shown.length} of ${all.length})`;
  document.body.dataset.members = all.length;
}

export function markSelected(name) {
  for (const [one, { line }] of rows) line.setAttribute("aria-selected", String(one === name));
}

// One row is in the order of Tab; the arrows move it.
export function moveFocus(step) {
  const now = document.activeElement?.closest?.("tr[data-name]");
  const lines = at("members").children;
  const next = now ? lines[[...lines].indexOf(now) + step] : lines[0];
  if (next) {
    for (const one of lines) one.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}

export function showColumns(changed) {
  at("columns").replaceChildren(...columns.map(([key, title]) => {
    const button = make("button", "", title, make("span", "arrow", sort !== key ? "" : isDescending ? " ▾" : " ▴"));
    button.type = "button";
    button.addEventListener("click", () => {
      isDescending = sort === key && !isDescending;
      sort = key;
      showColumns(changed);
      changed();
      [...at("columns").querySelectorAll("button")][columns.findIndex(([one]) => one === key)].focus();
    });
    const cell = make("th", `column-${key}`, button);
    cell.scope = "col";
    cell.setAttribute("aria-sort", sort !== key ? "none" : isDescending ? "descending" : "ascending");
    return cell;
  }));
}
