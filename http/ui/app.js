// SPDX-License-Identifier: MIT
//
// The agent's page: members, why, timeline, map. It only reads; whatever strangers wrote (names, tags) goes into the page as text.

const at = (id) => document.getElementById(id);
const state = { members: [], filter: "", status: "", sort: "name", isDescending: false, selected: "", seen: 0 };
const TIMELINE_MOST = 300;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// ---- asking the agent

async function ask(path, options = {}) {
  for (;;) {
    const token = sessionStorage.getItem("token");
    const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch(path, { ...options, headers, cache: "no-store" });
    if (answer.status !== 401) return answer;
    await askForToken();
  }
}

let asking = null;
function askForToken() {
  asking ??= new Promise((resolve) => {
    at("ask").showModal();
    at("ask").addEventListener("close", () => {
      sessionStorage.setItem("token", at("token").value);
      asking = null;
      resolve();
    }, { once: true });
  });
  return asking;
}

async function read(path) {
  const answer = await ask(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

// ---- members

const columns = [
  ["name", "Name", (m) => m.name],
  ["status", "Status", (m) => ["failed", "suspect", "leaving", "alive", "left"].indexOf(m.status)],
  ["addr", "Address", (m) => m.addr.padStart(45)],
  ["rtt_ms", "RTT", (m) => m.rtt_ms ?? Infinity],
  ["since_ms", "Since", (m) => -m.since_ms],
  ["tags", "Tags", (m) => Object.keys(m.tags).length],
];

function age(ms) {
  const s = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

const endpoint = (m) => (m.addr.includes(":") ? `[${m.addr}]:${m.port}` : `${m.addr}:${m.port}`);

function matches(m) {
  if (state.status && m.status !== state.status) return false;
  const wanted = state.filter.toLowerCase();
  return !wanted || `${m.name} ${endpoint(m)} ${Object.entries(m.tags).map(([k, v]) => `${k}=${v}`).join(" ")}`.toLowerCase().includes(wanted);
}

function compare(a, b) {
  const value = columns.find(([key]) => key === state.sort)[2];
  const [x, y] = [value(a), value(b)];
  const order = x < y ? -1 : x > y ? 1 : a.name < b.name ? -1 : 1;
  return state.isDescending ? -order : order;
}

function row(m) {
  const tags = Object.entries(m.tags).map(([k, v]) => make("span", "tag", `${k}=${v}`));
  const line = make("tr", "",
    make("td", "", m.name, m.self ? make("span", "tag", "this node") : null),
    make("td", `status ${m.status}`, m.status),
    make("td", "number", endpoint(m)),
    make("td", "number", m.rtt_ms === undefined ? "" : `${m.rtt_ms.toFixed(2)} ms`),
    make("td", "number", age(m.since_ms)),
    make("td", "", ...tags));
  line.tabIndex = 0;
  line.dataset.name = m.name;
  line.setAttribute("aria-selected", String(m.name === state.selected));
  return line;
}

function showColumns() {
  at("columns").replaceChildren(...columns.map(([key, title]) => {
    const arrow = state.sort !== key ? "" : state.isDescending ? " ▾" : " ▴";
    const button = make("button", "", title + arrow);
    button.type = "button";
    button.addEventListener("click", () => {
      state.isDescending = state.sort === key && !state.isDescending;
      state.sort = key;
      showColumns();
      showMembers();
    });
    const cell = make("th", "", button);
    cell.scope = "col";
    cell.setAttribute("aria-sort", state.sort !== key ? "none" : state.isDescending ? "descending" : "ascending");
    return cell;
  }));
}

function showCounts() {
  const counts = new Map();
  for (const m of state.members) counts.set(m.status, (counts.get(m.status) ?? 0) + 1);
  const kinds = [["", "all", state.members.length], ...["alive", "suspect", "leaving", "failed", "left"].map((s) => [s, s, counts.get(s) ?? 0])];
  const focused = document.activeElement?.dataset?.status;
  at("counts").replaceChildren(...kinds.filter(([status, , count]) => status === "" || count > 0 || status === state.status).map(([status, word, count]) => {
    const button = make("button", status, `${word} ${count}`);
    button.type = "button";
    button.dataset.status = status;
    button.setAttribute("aria-pressed", String(state.status === status));
    button.addEventListener("click", () => {
      state.status = status;
      showCounts();
      showMembers();
    });
    return button;
  }));
  if (focused !== undefined) at("counts").querySelector(`[data-status="${CSS.escape(focused)}"]`)?.focus();
}

function showMembers() {
  const shown = state.members.filter(matches).sort(compare);
  const focused = document.activeElement?.closest?.("tr[data-name]")?.dataset.name;
  at("members").replaceChildren(...shown.map(row));
  at("none").hidden = shown.length > 0;
  at("members-title").textContent = shown.length === state.members.length ? `Members (${shown.length})` : `Members (${shown.length} of ${state.members.length})`;
  if (focused) [...at("members").children].find((line) => line.dataset.name === focused)?.focus();
  document.body.dataset.members = state.members.length;
  showMap(shown);
}

// The two coordinates that differ most make the plane; the others are left out.
function showMap(shown) {
  const placed = shown.filter((m) => Array.isArray(m.coordinate) && m.coordinate.length > 1);
  at("map-section").hidden = placed.length < 2;
  if (placed.length < 2) return;
  const spread = placed[0].coordinate.map((_, i) => {
    const values = placed.map((m) => m.coordinate[i]);
    return [Math.max(...values) - Math.min(...values), i, Math.min(...values)];
  }).sort((a, b) => b[0] - a[0]);
  const [[width, x, left], [height, y, top]] = spread;
  const scale = Math.min(360 / (width || 1e-9), 220 / (height || 1e-9));
  at("map").replaceChildren(...placed.map((m) => {
    const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
    const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    const [cx, cy] = [20 + (m.coordinate[x] - left) * scale, 20 + (m.coordinate[y] - top) * scale];
    group.setAttribute("class", m.status);
    for (const [name, value] of [["cx", cx], ["cy", cy], ["r", m.self ? 7 : 4]]) dot.setAttribute(name, value);
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = m.name;
    dot.append(title);
    group.append(dot);
    if (placed.length <= 40) {
      const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
      label.setAttribute("x", cx + 7);
      label.setAttribute("y", cy + 3);
      label.textContent = m.name;
      group.append(label);
    }
    return group;
  }));
}

async function refreshMembers() {
  state.members = await read("/v1/members");
  showCounts();
  showMembers();
}

let isDue = false;
function refreshSoon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => { isDue = false; refreshMembers().catch(lost); }, 300);
}

// ---- one member

const words = {
  reason: "", accuser: "says", incarnation: "incarnation", confirmations: "confirmations", confirmations_wanted: "of", timer_ran_ms: "timer ran (ms)",
  timer_min_ms: "shortest timer (ms)", timer_max_ms: "longest timer (ms)", own_health: "own health score", own_pause_ms: "own pause (ms)",
  probe_direct: "ping", probe_indirect: "through relays", probe_stream: "stream", probe_relays_asked: "relays asked", probe_nacks: "relays without an answer",
  probe_acks: "relays with an answer", probe_waited_ms: "waited (ms)",
};

const flat = (cause) => Object.entries(cause ?? {}).flatMap(([key, value]) =>
  (value !== null && typeof value === "object" ? Object.entries(value).map(([k, v]) => [`${key}_${k}`, v]) : [[key, value]]));

const inWords = (cause) => flat(cause).map(([key, value]) => `${words[key] ?? key} ${value}`.trim()).join(" · ");

function line(ms, title, status, cause) {
  const time = make("time", "", new Date(ms).toLocaleTimeString());
  time.dateTime = new Date(ms).toISOString();
  return make("li", "", time, make("span", status ? `status ${status}` : "", title), cause ? make("span", "cause", cause) : null);
}

const statusOf = (event) => ({ "member-join": "alive", "member-alive": "alive", "member-suspect": "suspect", "member-failed": "failed", "member-leave": "left", "member-reap": "left" })[event] ?? "";

async function select(name) {
  state.selected = name;
  at("detail").hidden = !name;
  for (const one of at("members").children) one.setAttribute("aria-selected", String(one.dataset.name === name));
  if (!name) return;
  const m = state.members.find((one) => one.name === name);
  at("detail-title").textContent = name;
  at("facts").replaceChildren(...Object.entries({ status: m?.status, address: m && endpoint(m), incarnation: m?.incarnation, software: m?.hearsay ? "hearsay" : "memberlist or Serf" })
    .flatMap(([key, value]) => [make("dt", "", key), make("dd", "", String(value ?? ""))]));
  at("why").replaceChildren();
  const why = await read(`/v1/why/${encodeURIComponent(name)}`);
  if (state.selected !== name) return;
  at("why").replaceChildren(...why.records.reverse().map((r) => line(r.at_ms, r.event, statusOf(r.event), inWords(r.cause))));
}

// ---- timeline

function tell(event) {
  const name = event.member?.name ?? event.name ?? "";
  at("quiet").hidden = true;
  at("timeline").prepend(line(event.time_ms ?? Date.now(), `${event.event} ${name}`, statusOf(event.event), inWords(event.cause)));
  while (at("timeline").children.length > TIMELINE_MOST) at("timeline").lastChild.remove();
  if (event.event?.startsWith("member-")) refreshSoon();
  if (name && name === state.selected) select(name).catch(lost);
}

function say(word, kind) {
  at("link").textContent = word;
  at("link").className = `badge ${kind}`;
}

function lost(error) {
  say("not connected", "bad");
  console.warn(error);
}

// From the oldest that the agent still has. Server-sent events by fetch, because EventSource cannot show a token.
async function follow() {
  let last = "";
  for (;;) {
    try {
      const answer = await ask("/v1/events?since=0-0", { headers: last ? { "Last-Event-ID": last } : {} });
      if (!answer.ok) throw new Error(`/v1/events: ${answer.status}`);
      say("live", "good");
      refreshSoon();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ;) {
        const { value, done } = await reader.read();
        if (done) break;
        const frames = (rest + value).split("\n\n");
        rest = frames.pop();
        for (const frame of frames) {
          const field = Object.fromEntries(frame.split("\n").map((one) => { const i = one.indexOf(": "); return [one.slice(0, i), one.slice(i + 2)]; }));
          if (field.id) last = field.id;
          if (field.event === "lost") tell({ event: "lost", name: `${JSON.parse(field.data).lost} events` });
          else if (field.data) tell(JSON.parse(field.data));
        }
      }
    } catch (error) {
      lost(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

// ---- this node

let before = null;
async function refreshStatus() {
  const s = await read("/v1/status");
  at("node").textContent = s.name;
  document.title = `${s.name} · hearsay`;
  at("badges").replaceChildren(
    make("span", "badge", `hearsay ${s.version}`), " ",
    make("span", `badge ${s.encrypted ? "good" : "warn"}`, s.encrypted ? "encrypted" : "not encrypted"), " ",
    make("span", `badge ${s.health_score === 0 ? "good" : "bad"}`, `health ${s.health_score}`));
  const rate = (key) => (before ? ((s.counters[key] - before.counters[key]) * 1000 / (s.unix_ms - before.unix_ms)) : 0);
  const facts = {
    "packets in / out": `${rate("packets_in").toFixed(1)} / ${rate("packets_out").toFixed(1)} per s`,
    "bytes in / out": `${rate("bytes_in").toFixed(0)} / ${rate("bytes_out").toFixed(0)} per s`,
    "probes, failed": `${s.counters.probes}, ${s.counters.probes_failed}`,
    "refutations": s.counters.refutations,
    "rumours waiting": Object.values(s.queues).reduce((a, b) => a + b, 0),
    "dropped": Object.entries(s.counters).filter(([k, v]) => k.startsWith("drop_") && v > 0).map(([k, v]) => `${k.slice(5)} ${v}`).join(", ") || "nothing",
  };
  at("traffic").replaceChildren(...Object.entries(facts).flatMap(([key, value]) => [make("dt", "", key), make("dd", "", String(value))]));
  before = s;
}

function repeat(work, ms) {
  const again = () => work().catch(lost).finally(() => setTimeout(again, ms));
  again();
}

// ---- keyboard and mouse

at("search").addEventListener("input", () => { state.filter = at("search").value; showMembers(); });
at("members").addEventListener("click", (event) => select(event.target.closest("tr")?.dataset.name ?? "").catch(lost));
at("detail-close").addEventListener("click", () => select(""));
document.addEventListener("keydown", (event) => {
  const line = document.activeElement?.closest?.("tr[data-name]");
  if (event.key === "/" && document.activeElement !== at("search") && !at("ask").open) {
    event.preventDefault();
    at("search").focus();
  } else if (event.key === "Escape" && !at("ask").open) {
    if (document.activeElement === at("search")) { at("search").value = ""; state.filter = ""; showMembers(); } else { select(""); }
  } else if (event.key === "Enter" && line) {
    select(line.dataset.name).catch(lost);
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (line || document.activeElement === at("search"))) {
    event.preventDefault();
    const next = line ? (event.key === "ArrowDown" ? line.nextElementSibling : line.previousElementSibling) : at("members").firstElementChild;
    next?.focus();
  }
});

showColumns();
repeat(refreshStatus, 5000);
repeat(refreshMembers, 15000);
follow();
