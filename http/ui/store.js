// SPDX-License-Identifier: MIT
//
// The shared store as this node has it, and what it knows of the other holders: do our roots agree, what did repairs move.

import { age, at, bytes, facts, make, short } from "./draw.js";

const FRESH_S = 60;

// Epochs are seconds since 1970; a root is of an epoch some seconds old by nature.
export function agreement(peer, store) {
  const behind = store.root_epoch - peer.equal_epoch;
  return !peer.up ? ["left", "not there"] : peer.equal_epoch === 0 ? ["", "not compared yet"]
    : behind <= FRESH_S ? ["alive", `equal ${age(peer.equal_epoch * 1000)} ago`] : ["suspect", `last equal ${age(peer.equal_epoch * 1000)} ago`];
}

export function inShort(store, peers) {
  const up = peers.filter((p) => p.up), equal = up.filter((p) => agreement(p, store)[0] === "alive").length;
  return { up: up.length, equal };
}

export function showStore({ store, peers }, wanted, choose) {
  at("store-off").hidden = store !== null;
  at("store-on").hidden = store === null;
  if (store === null) return;
  const { up, equal } = inShort(store, peers);
  const word = up === 0 ? "Nobody else holds the store." : equal < up ? `${equal} of ${up} other holders agree with this node.`
    : up === 1 ? "The other holder agrees with this node." : `All ${up} other holders agree with this node.`;
  at("store-word").textContent = word;
  at("store-word").className = `verdict ${up === equal ? "alive" : "suspect"}`;
  facts(at("store-facts"), {
    entries: short(store.entries), bytes: bytes(store.bytes), "deleted, remembered": store.tombstones, memory: bytes(store.memory_bytes),
    root: make("code", "", store.root.replace(/(.{8})(?=.)/g, "$1 ")),
    "root of": `${new Date(store.root_epoch * 1000).toLocaleTimeString()} (epoch ${store.root_epoch}, ${store.root_entries} entries)`,
    "changes since": store.unsettled, "waiting for the disk": store.pending, "kept": store.durable ? "on disk" : "in memory",
    spreading: `${store.mode}, fanout ${store.fanout}, every ${store.interval_ms} ms`,
    "clock": store.clock_astray ? "too far from the others': writes are refused" : `others' ${store.clock_ahead_ms >= 0 ? "ahead" : "behind"} by ${Math.abs(store.clock_ahead_ms)} ms`,
  });
  const shown = peers.filter((p) => !wanted || p.name.toLowerCase().includes(wanted.toLowerCase()));
  at("agreement").classList.toggle("many", shown.length > 200);
  at("agreement").replaceChildren(...shown.map((p) => {
    const [status, text] = agreement(p, store), cell = make("button", `cell ${status}`);
    cell.type = "button";
    cell.tabIndex = -1; /* the table below says the same */
    cell.title = `${p.name}: ${text}`;
    cell.setAttribute("aria-label", cell.title);
    cell.addEventListener("click", () => choose(p.name));
    return cell;
  }));
  at("peers").replaceChildren(...shown.slice(0, 1000).map((p) => {
    const [status, text] = agreement(p, store);
    return make("tr", "", make("td", "name", p.name), make("td", "", make("span", `status ${status || "none"}`, text)), make("td", "number", String(p.repairs)),
      make("td", "number", `${short(p.entries_in)} / ${short(p.entries_out)}`), make("td", "number", `${bytes(p.bytes_in)} / ${bytes(p.bytes_out)}`));
  }));
}
