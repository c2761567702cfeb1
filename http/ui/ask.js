// SPDX-License-Identifier: MIT
//
// Asking the agent: with its token, when it wants one, and its stream of events, which goes on where it broke.

import { at } from "./draw.js";

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

async function ask(path, options = {}) {
  for (;;) {
    const token = sessionStorage.getItem("token");
    const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch(path, { ...options, headers, cache: "no-store" });
    if (answer.status !== 401) return answer;
    await askForToken();
  }
}

export async function read(path) {
  const answer = await ask(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

function fieldsOf(frame) {
  return Object.fromEntries(frame.split("\n").map((one) => {
    const i = one.indexOf(": ");
    return [one.slice(0, i), one.slice(i + 2)];
  }));
}

// From the oldest that the agent still has. By fetch, because EventSource cannot show a token.
export async function follow(tell, say) {
  for (let last = ""; ;) {
    try {
      const answer = await ask("/v1/events?since=0-0", { headers: last ? { "Last-Event-ID": last } : {} });
      if (!answer.ok) throw new Error(`/v1/events: ${answer.status}`);
      say(null);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ;) {
        const { value, done } = await reader.read();
        if (done) break;
        const frames = (rest + value).split("\n\n");
        rest = frames.pop();
        const events = [];
        for (const field of frames.map(fieldsOf)) {
          last = field.id ?? last;
          if (field.event === "lost") events.push({ event: "lost", name: `${JSON.parse(field.data).lost} events` });
          else if (field.data) events.push(JSON.parse(field.data));
        }
        if (events.length > 0) tell(events);
      }
    } catch (error) {
      say(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

// Does work now and every ms while somebody looks.
export function repeat(work, ms, failed) {
  const again = () => (document.hidden ? Promise.resolve() : work().catch(failed)).finally(() => setTimeout(again, ms));
  again();
}
