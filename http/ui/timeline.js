// SPDX-License-Identifier: MIT
//
// What happened, newest first, each with its cause. Bounded: the oldest lines go.

import { at, inWords, line, make, statusOf } from "./draw.js";

const MOST = 500;
let kind = "", wanted = "";

const KINDS = [["", "all"], ["member", "members"], ["suspect", "verdicts"], ["user", "events"]];

function isShown(one) {
  const about = one.dataset.event;
  const fits = !kind || (kind === "member" ? about.startsWith("member-") : kind === "suspect" ? /suspect|alive|failed/.test(about) : about === "user" || about === "query");
  return fits && (!wanted || one.textContent.toLowerCase().includes(wanted));
}

function filter() {
  let count = 0;
  for (const one of at("timeline").children) {
    one.hidden = !isShown(one);
    count += !one.hidden;
  }
  at("quiet").hidden = count > 0;
  at("quiet").textContent = at("timeline").children.length > 0 ? "Nothing of that kind." : "Nothing has happened yet.";
}

function textOf(event) {
  if (event.event === "user") return `event ${event.name}`;
  if (event.event === "query") return `query ${event.name}`;
  return `${event.event.replace("member-", "")} ${event.member?.name ?? event.name ?? ""}`;
}

// Payloads come as base64 and may be anything.
function payloadOf(event) {
  const data = Uint8Array.from(atob(event.payload), (c) => c.charCodeAt(0));
  const text = new TextDecoder().decode(data.slice(0, 300)).replace(/\p{Cc}/gu, " ");
  return text.includes("\ufffd") ? `${data.length} bytes` : `“${text}${data.length > 300 ? "…" : ""}”`;
}

function causeOf(event) {
  const parts = [inWords(event.cause)];
  if (event.from) parts.push(`asked by ${event.from}`);
  if (event.ltime) parts.push(`clock ${event.ltime}`);
  if (event.payload) parts.push(payloadOf(event));
  if (event.other) parts.push(`also at ${event.other.addr}:${event.other.port}`);
  return parts.filter((part) => part).join(" · ");
}

// Oldest first.
export function tell(events, choose) {
  const lines = events.slice(-MOST).map((event) => {
    const one = line(event.time_ms ?? Date.now(), textOf(event), statusOf(event.event), causeOf(event));
    const name = event.member?.name;
    one.dataset.event = event.event;
    if (name) {
      const button = make("button", "link", one.querySelector(".title").textContent);
      button.type = "button";
      button.addEventListener("click", () => choose(name));
      one.querySelector(".title").replaceChildren(button);
    }
    return one;
  });
  at("timeline").prepend(...lines.reverse());
  while (at("timeline").children.length > MOST) at("timeline").lastChild.remove();
  filter();
}

export function filterTimeline(text) {
  wanted = text.toLowerCase();
  filter();
}

export function startTimeline() {
  at("kinds").replaceChildren(...KINDS.map(([key, word]) => {
    const button = make("button", "chip", word);
    button.type = "button";
    button.setAttribute("aria-pressed", String(key === kind));
    button.addEventListener("click", () => {
      kind = key;
      for (const one of at("kinds").children) one.setAttribute("aria-pressed", String(one === button));
      filter();
    });
    return button;
  }));
}
