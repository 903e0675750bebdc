// The node's API as its page uses it: messages travel as {kind, version, body}.

export class Refused extends Error {
  constructor(status, text, message) {
    super(text);
    this.status = status;
    this.message_ = message;
  }
}

async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, { method, body, cache: "no-store" });
  } catch {
    throw new Refused(0, "The node does not answer.");
  }
  if (answer.ok) return answer;
  const text = await answer.text();
  const told = answer.headers.get("Content-Type")?.startsWith("application/json") ? JSON.parse(text) : null;
  throw new Refused(answer.status, told ? "" : text, told);
}

async function bodyOf(answer) {
  return answer.status === 204 ? null : (await answer.json()).body;
}

export const get = async (path) => bodyOf(await ask("GET", path));
export const post = async (path, message) => bodyOf(await ask("POST", path, message));
export const bytes = async (path) => (await ask("GET", path)).arrayBuffer();
export const text = async (path) => (await ask("GET", path)).text();
export const blob = async (path) => (await ask("GET", path)).blob();

export const message = (kind, body) => JSON.stringify({ kind, version: 1, body });

// Nanoseconds do not fit into a number of JavaScript: they are written as digits.
export function startRecording(nowNs, plannedMinutes, override) {
  const random = [...crypto.getRandomValues(new Uint8Array(5))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const session = `${String(nowNs / 1_000_000_000n).padStart(10, "0")}-${random}`;
  const body = `{"session":"${session}","start_ns":${nowNs},"planned_minutes":${plannedMinutes || null},"override":${JSON.stringify(override)}}`;
  return `{"kind":"start-recording","version":1,"body":${body}}`;
}
