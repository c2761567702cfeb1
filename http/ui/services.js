// SPDX-License-Identifier: MIT
//
// The services of all nodes: names with how many of their instances are healthy, and the instances of the one that is chosen, nearest first.

import { at, make, milliseconds } from "./draw.js";

let chosen = "", all = null;
const STATUS = { passing: "alive", warning: "suspect", critical: "failed", maintenance: "left" };

function nameRow(one, choose) {
  const bar = make("span", "share");
  bar.append(...[["alive", one.healthy], ["failed", one.instances - one.healthy]].filter(([, count]) => count > 0).map(([status, count]) => {
    const part = make("span", status);
    part.style.flexGrow = count;
    return part;
  }));
  const button = make("button", "link", one.name);
  button.type = "button";
  button.addEventListener("click", () => choose(one.name));
  const row = make("tr", "", make("td", "name", button), make("td", "number", `${one.healthy} of ${one.instances}`), make("td", "", bar));
  row.setAttribute("aria-selected", String(one.name === chosen));
  return row;
}

function instanceRow(one, select) {
  const button = make("button", "link", one.node), where = one.address.includes(":") ? `[${one.address}]:${one.port}` : `${one.address}:${one.port}`;
  button.type = "button";
  button.addEventListener("click", () => select(one.node));
  const word = one.node_status === "alive" ? one.state : `${one.state}, its node is ${one.node_status}`;
  return make("tr", "", make("td", "name", one.id === one.name ? "" : `${one.id} on `, button),
    make("td", "", make("span", `status ${one.healthy ? STATUS[one.state] : one.node_status === "alive" ? STATUS[one.state] : "failed"}`, word), one.output ? make("div", "cause", one.output) : null),
    make("td", "number", where), make("td", "number", milliseconds(one.rtt_ms)),
    make("td", "", ...one.tags.map((tag) => make("span", "tag", tag)), ...Object.entries(one.meta).map(([key, value]) => make("span", "tag", `${key}=${value}`))));
}

// Asks and shows; read answers null where there is no store.
export async function refreshServices(read, wanted, select) {
  const answer = await read("/v1/services").catch((error) => { if (/501/.test(error.message)) return null; throw error; });
  all = answer?.services ?? null;
  at("services-off").hidden = all !== null;
  at("services-on").hidden = all === null;
  if (all === null) return;
  const shown = all.filter((one) => one.name.toLowerCase().includes(wanted.toLowerCase()));
  if (!shown.some((one) => one.name === chosen)) chosen = shown[0]?.name ?? "";
  const choose = (name) => { chosen = name; refreshServices(read, wanted, select).catch(console.warn); };
  at("services-none").hidden = shown.length > 0;
  at("service-names").replaceChildren(...shown.map((one) => nameRow(one, choose)));
  const name = chosen, instances = name ? (await read(`/v1/services/${encodeURIComponent(name)}`)).services : [];
  if (name !== chosen) return;
  at("instances-title").textContent = name ? `Instances of ${name}, nearest first` : "";
  at("instances").replaceChildren(...instances.map((one) => instanceRow(one, select)));
}
