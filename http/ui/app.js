// SPDX-License-Identifier: MIT
//
// The agent's page: what this node knows of its cluster, as it happens. It only reads.

import { follow, read, repeat } from "./ask.js";
import { at, bytes, endpoint, facts, inWords, line, make, milliseconds, short, sparkline, statusOf, tagsOf } from "./draw.js";
import { showMap, showWord, startMap } from "./map.js";
import { markSelected, moveFocus, showColumns, showMembers } from "./members.js";
import { refreshServices } from "./services.js";
import { inShort, showStore } from "./store.js";
import { filterTimeline, startTimeline, tell } from "./timeline.js";

const VIEWS = ["members", "map", "timeline", "store", "services"];
const state = { members: [], filter: "", status: "", selected: "", view: "members", store: null };
const HISTORY = 90;
const history = { in: [], out: [], rumours: [], repairs: [] };

// ---- members

function matches(m) {
  if (state.status && m.status !== state.status) return false;
  const wanted = state.filter.toLowerCase();
  return !wanted || `${m.name} ${endpoint(m)} ${m.status} ${tagsOf(m).join(" ")}`.toLowerCase().includes(wanted);
}

function showCounts() {
  const counts = new Map();
  for (const m of state.members) counts.set(m.status, (counts.get(m.status) ?? 0) + 1);
  const kinds = ["failed", "suspect", "leaving", "alive", "left"].map((status) => [status, counts.get(status) ?? 0]);
  const focused = document.activeElement?.dataset?.status;
  const chips = [["", state.members.length], ...kinds].filter(([status, count]) => status === "" || count > 0 || status === state.status);
  at("counts").replaceChildren(...chips.map(([status, count]) => {
    const button = make("button", `chip ${status}`, `${status || "all"} ${count}`);
    button.type = "button";
    button.dataset.status = status;
    button.setAttribute("aria-pressed", String(state.status === status));
    button.addEventListener("click", () => {
      state.status = status;
      show();
    });
    return button;
  }));
  if (focused !== undefined) at("counts").querySelector(`[data-status="${CSS.escape(focused)}"]`)?.focus();
  at("tile-alive").textContent = short(counts.get("alive") ?? 0);
  at("tile-all").textContent = `alive of ${state.members.length}`;
  at("tile-bar").replaceChildren(...kinds.toReversed().filter(([, count]) => count > 0).map(([status, count]) => {
    const part = make("span", status);
    part.style.flexGrow = count;
    part.title = `${count} ${status}`;
    return part;
  }));
}

function show() {
  const shown = state.members.filter(matches);
  showCounts();
  showMembers(shown, state.members, state.selected);
  showMap(shown, state.selected);
}

async function refreshMembers() {
  state.members = await read("/v1/members");
  show();
}

let isDue = false;
function refreshSoon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => { isDue = false; refreshMembers().catch(lost); }, state.members.length > 300 ? 1500 : 300);
}

// ---- one member

async function select(name) {
  state.selected = name;
  remark();
  at("detail").hidden = !name;
  document.body.classList.toggle("has-detail", Boolean(name));
  markSelected(name);
  showMap(state.members.filter(matches), name);
  if (!name) return;
  const m = state.members.find((one) => one.name === name);
  at("detail-title").textContent = name;
  facts(at("facts"), {
    status: m && make("span", `status ${m.status}`, m.status), since: m && new Date(m.since_ms).toLocaleString(), "round trip": m?.self ? "this node" : milliseconds(m?.rtt_ms),
    address: m && endpoint(m), incarnation: m?.incarnation, software: m?.hearsay ? "hearsay" : "memberlist or Serf",
    tags: m && make("span", "", ...tagsOf(m).map((tag) => make("span", "tag", tag))),
  });
  const why = await read(`/v1/why/${encodeURIComponent(name)}`).catch(() => ({ records: [] }));
  if (state.selected !== name) return;
  at("why-none").hidden = why.records.length > 0;
  at("why").replaceChildren(...why.records.reverse().map((r) => line(r.at_ms, r.event.replace("member-", ""), statusOf(r.event), inWords(r.cause))));
}

const choose = (name) => select(name).catch(lost);

// ---- events

function say(error) {
  at("link").textContent = error ? "not connected" : "live";
  at("link").className = `badge ${error ? "bad" : "good"}`;
  if (!error) refreshSoon();
}

function lost(error) {
  say(error);
  console.warn(error);
}

function onEvents(events) {
  tell(events, choose);
  for (const event of events.slice(-20)) {
    if (event.cause?.accuser && Date.now() - event.time_ms < 5000) showWord(event.cause.accuser, event.member?.name, statusOf(event.event));
  }
  if (events.some((event) => event.event?.startsWith("member-"))) refreshSoon();
  if (state.selected && events.some((event) => event.member?.name === state.selected)) choose(state.selected);
}

// ---- this node

let before = null;
function remember(s) {
  const rate = (key) => (before && s.unix_ms > before.unix_ms ? Math.max(0, (s.counters[key] - before.counters[key]) * 1000 / (s.unix_ms - before.unix_ms)) : 0);
  const rates = { in: rate("packets_in"), out: rate("packets_out"), bytes_in: rate("bytes_in"), bytes_out: rate("bytes_out"),
    rumours: Object.values(s.queues).reduce((a, b) => a + b, 0), repairs: rate("repair_bytes_in") + rate("repair_bytes_out") };
  for (const key of before ? Object.keys(history) : []) {
    history[key].push(rates[key]);
    if (history[key].length > HISTORY) history[key].shift();
  }
  before = s;
  return rates;
}

async function refreshStatus() {
  const s = await read("/v1/status"), rates = remember(s), isHealthy = s.health_score === 0;
  at("node").textContent = s.name;
  document.title = `${s.name} · hearsay`;
  at("badges").replaceChildren(make("span", "badge", `hearsay ${s.version}`),
    make("span", `badge ${s.encrypted ? "good" : "warn"}`, s.encrypted ? "encrypted" : "not encrypted"), s.leaving ? make("span", "badge warn", "leaving") : "");
  at("tile-health").textContent = isHealthy ? "healthy" : `score ${s.health_score}`;
  at("tile-health").className = `value ${isHealthy ? "alive" : "suspect"}`;
  at("tile-probes").textContent = `${s.counters.probes_failed} of ${short(s.counters.probes)} probes failed`;
  at("tile-packets").textContent = `${short(rates.in)} / ${short(rates.out)}`;
  at("tile-bytes").textContent = `${bytes(rates.bytes_in)} / ${bytes(rates.bytes_out)} per s`;
  at("tile-rumours").textContent = short(rates.rumours);
  at("tile-queues").textContent = `${s.counters.events_in} ${s.counters.events_in === 1 ? "event" : "events"} heard`;
  sparkline(at("spark-packets"), [history.in, history.out]);
  sparkline(at("spark-rumours"), [history.rumours]);
  const drops = Object.entries(s.counters).filter(([key, value]) => key.startsWith("drop_") && value > 0).map(([key, value]) => `${key.slice(5).replaceAll("_", " ")} ${value}`);
  facts(at("traffic"), {
    suspicions: s.counters.suspicions, "accusations against us": s.counters.refutations, conflicts: s.counters.conflicts, "own pauses": s.counters.pauses,
    "open streams": s.streams, "rumours waiting": Object.entries(s.queues).map(([key, value]) => `${key} ${value}`).join(", "), dropped: drops.join(", ") || "nothing",
  });
  await refreshStore(s);
}

async function refreshStore(s) {
  at("tile-store-box").classList.toggle("off", s.store === null);
  if (s.store === null) {
    at("tile-store").textContent = "off";
    at("tile-root").textContent = "start with --store";
    showStore({ store: null, peers: [] });
    return;
  }
  state.store = await read("/v1/store");
  const { up, equal } = inShort(state.store.store, state.store.peers);
  at("tile-store").textContent = up === 0 ? "alone" : `${equal} / ${up} equal`;
  at("tile-store").className = `value ${equal === up ? "alive" : "suspect"}`;
  at("tile-root").textContent = `${short(s.store.entries)} entries · root ${s.store.root.slice(0, 8)}`;
  if (state.view === "store") {
    showStore(state.store, state.filter, choose);
    sparkline(at("spark-repairs"), [history.repairs]);
  }
}

// ---- views, keyboard and mouse

function look(view) {
  state.view = VIEWS.includes(view) ? view : "members";
  document.body.dataset.view = state.view;
  for (const one of VIEWS) {
    at(`tab-${one}`).setAttribute("aria-selected", String(one === state.view));
    at(`tab-${one}`).tabIndex = one === state.view ? 0 : -1;
    if (one !== "timeline") at(`${one}-section`).hidden = one !== state.view;
  }
  at(state.view === "timeline" ? "stage" : "side").append(at("timeline-section"), ...(state.view === "timeline" ? [] : [at("node-section")]));
  remark();
  showMap(state.members.filter(matches), state.selected);
  if (state.view === "store" && state.store) showStore(state.store, state.filter, choose);
  showServices().catch(lost);
}

const showServices = () => (state.view === "services" ? refreshServices(read, state.filter, choose) : Promise.resolve());

// The address says what is looked at, so that it can be passed on: #map or #map/NAME.
function remark() {
  const wanted = `#${state.view}${state.selected ? `/${encodeURIComponent(state.selected)}` : ""}`;
  if (location.hash !== wanted) window.history.replaceState(null, "", wanted);
}

function lookAtAddress() {
  const [view, name = ""] = location.hash.slice(1).split("/");
  look(view);
  choose(decodeURIComponent(name));
}

function onSearch() {
  state.filter = at("search").value;
  filterTimeline(state.filter);
  show();
  if (state.view === "store" && state.store) showStore(state.store, state.filter, choose);
  showServices().catch(lost);
}

function onKey(event) {
  const isTyping = document.activeElement === at("search") || document.querySelector("dialog[open]") !== null;
  const onRow = document.activeElement?.closest?.("tr[data-name]");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && document.querySelector("dialog[open]") === null) {
    if (document.activeElement === at("search") && at("search").value) { at("search").value = ""; onSearch(); } else choose("");
  } else if (event.key === "Enter" && onRow) choose(onRow.dataset.name);
  else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (onRow || document.activeElement === at("search")) && state.view === "members") {
    moveFocus(event.key === "ArrowDown" ? 1 : -1);
  } else if (isTyping) return;
  else if (event.key === "/") at("search").focus();
  else if (event.key === "?") at("help").showModal();
  else if (VIEWS[Number(event.key) - 1]) look(VIEWS[Number(event.key) - 1]);
  else return;
  if (event.key !== "Escape") event.preventDefault();
}

function start() {
  for (const [i, one] of VIEWS.entries()) {
    at(`tab-${one}`).addEventListener("click", () => look(one));
    at(`tab-${one}`).addEventListener("keydown", (event) => {
      const next = VIEWS[i + ({ ArrowRight: 1, ArrowLeft: -1 })[event.key]];
      if (next) { look(next); at(`tab-${next}`).focus(); }
    });
  }
  at("search").addEventListener("input", onSearch);
  at("members").addEventListener("click", (event) => choose(event.target.closest("tr")?.dataset.name ?? ""));
  at("detail-close").addEventListener("click", () => choose(""));
  at("help-open").addEventListener("click", () => at("help").showModal());
  at("tile-store-box").addEventListener("click", () => look("store"));
  document.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", lookAtAddress);
  startTimeline();
  startMap(choose);
  showColumns(show);
  filterTimeline("");
  const [view, name = ""] = location.hash.slice(1).split("/");
  look(view);
  if (name) refreshMembers().then(() => choose(decodeURIComponent(name))).catch(lost);
  repeat(refreshStatus, 2000, lost);
  repeat(refreshMembers, 10000, lost);
  repeat(showServices, 5000, lost);
  follow(onEvents, say);
}

start();
