// The page of one camera node.

import { Refused, blob, get, message, post, startRecording } from "./api.js";
import { Player } from "./live.js";
import { facts, findings, lost } from "./show.js";

const HOLD_MS = 1200;
const STILL_MS = 2000;
const FRAMING_MS = 500;
const AGAIN_MS = 3000;
const SILENT_MS = 15000;
const DOUBT_MS = 3000;

const el = (id) => document.getElementById(id);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const said = (text) => { el("said").textContent = text; };

let status = null;
let condition = null;
let conditionAt = 0;
let heardAt = 0;
let answeredAt = -Infinity;
let doubted = null;
let events = null;
let signedIn = false;
let framing = false;

// ---------------------------------------------------------------------------------------------- who is there

function showSignedIn(yes) {
  signedIn = yes;
  el("signed-in").hidden = el("controls").hidden = !yes;
  el("sign-in").hidden = yes;
  if (yes) return;
  events?.close();
  events = null;
  player.stop();
  framing = false;
  showStill(null, "");
}

async function begin() {
  try {
    takeCondition(await get("condition"));
    showSignedIn(true);
    listen();
    showView(await get("view"));
  } catch (fault) {
    if (fault.status === 401) {
      showSignedIn(false);
      takeStatus(await get("status").catch(() => null));
    } else {
      showLost();
    }
    // Signed in by another page of this browser, or the node is back.
    await sleep(AGAIN_MS);
    if (!events) begin();
  }
}

el("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await post("sign-in", message("sign-in", { pin: el("pin").value }));
    el("pin").value = el("sign-in-fault").textContent = "";
    await begin();
    el("record").focus();
  } catch (fault) {
    el("sign-in-fault").textContent = fault.message;
    el("pin").focus();
  }
});

el("sign-out").addEventListener("click", async () => {
  await post("sign-out").catch(() => null);
  showSignedIn(false);
  el("pin").focus();
});

// ------------------------------------------------------------------------------------------------ how it is

function listen() {
  events?.close();
  events = new EventSource("/api/v1/events");
  const on = (kind, take) => events.addEventListener(kind, (event) => { heardAt = Date.now(); take(JSON.parse(event.data).body); });
  on("node-status", hearStatus);
  on("node-condition", takeCondition);
  events.addEventListener("error", () => {
    if (events?.readyState !== EventSource.CLOSED) return;
    events = null;
    showLost();
    setTimeout(begin, AGAIN_MS);
  });
}

setInterval(() => { if (signedIn && heardAt && Date.now() - heardAt > SILENT_MS) showLost(); }, 1000);

function showLost() {
  document.body.dataset.state = "lost";
  el("state").textContent = "No answer";
}

// An event may have been under way since before the node answered a start or a stop: what contradicts it has to wait.
function hearStatus(now) {
  clearTimeout(doubted);
  const contradicts = status && (now.recording === null) !== (status.recording === null);
  const wait = answeredAt + DOUBT_MS - performance.now();
  if (contradicts && wait > 0) doubted = setTimeout(takeStatus, wait, now);
  else takeStatus(now);
}

function takeAnswer(now) {
  clearTimeout(doubted);
  answeredAt = performance.now();
  takeStatus(now);
}

function takeStatus(now) {
  if (!now) return showLost();
  const before = status;
  status = now;
  const recording = now.recording !== null;
  el("name").textContent = now.node;
  document.title = `${now.node} – Touchline`;
  document.body.dataset.state = recording ? "recording" : "ready";
  el("state").textContent = recording ? `Recording ${length(now)}` : "Ready";
  const told = [now.fault, ...(now.alarms ?? [])].filter(Boolean);
  if (told.join() !== [...el("alarms").children].map((p) => p.textContent).join()) {
    el("alarms").replaceChildren(...told.map((text) => Object.assign(document.createElement("p"), { className: "alarm", textContent: text })));
  }
  el("record-label").textContent = recording ? "Hold to stop" : "Record";
  el("mark").hidden = !recording;
  for (const id of ["frame", "ask-gates", "self-test"]) el(id).disabled = recording;
  if (recording) el("refused").hidden = true;
  if (before && (before.recording === null) === recording) said("");
  const loses = recording && now.frames_dropped > 0;
  el("lost").hidden = !loses;
  if (loses) el("lost-frames").textContent = lost(now);
  el("waiting").textContent = now.segments_waiting === 1 ? "1 segment" : `${now.segments_waiting} segments`;
}

function length(now) {
  // What was lost took its time, too.
  const seconds = now.frames_per_second ? Math.floor((now.frames + now.frames_dropped) / now.frames_per_second) : 0;
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}:${two(seconds % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

function takeCondition(now) {
  condition = now;
  conditionAt = performance.now();
  for (const [id, fact] of Object.entries(facts(now))) {
    const dd = el(id);
    dd.textContent = fact.text;
    dd.dataset.verdict = fact.verdict;
    if (fact.more) dd.append(Object.assign(document.createElement("small"), { textContent: fact.more }));
  }
}

// ------------------------------------------------------------------------------------------------ recording

async function whileBusy(button, words, work) {
  button.disabled = true;
  said(words);
  try {
    await work();
  } catch (fault) {
    if (fault.status === 401) showSignedIn(false);
    said(fault instanceof Refused ? fault.message : "This page has a fault: load it anew.");
    if (!(fault instanceof Refused)) throw fault;
  } finally {
    button.disabled = false;
    // Only its own words: another button may have spoken since.
    if (el("said").textContent === words) said("");
  }
}

async function start(override) {
  el("refused").hidden = true;
  await whileBusy(el("record"), "Asking the gates …", async () => {
    const nowNs = BigInt(condition.at_ns) + BigInt(Math.round((performance.now() - conditionAt) * 1e6));
    try {
      takeAnswer(await post("record/start", startRecording(nowNs, el("planned").value, override)));
    } catch (fault) {
      if (fault.message_?.kind !== "gate-report") throw fault;
      return showRefused(fault.message_.body);
    }
  });
}

function showRefused(report) {
  const closed = report.gates.filter((gate) => gate.verdict === "fail" && !report.overridden.includes(gate.code));
  el("refused-gates").replaceChildren(...findings(closed));
  // With a gate that stays closed, passing the others is of no use.
  el("override").hidden = !closed.every((gate) => gate.overridable);
  el("override").onclick = () => start([...report.overridden, ...closed.map((gate) => gate.code)]);
  el("refused").hidden = false;
  said("Not recording: see above.");
  el("refused-title").focus();
}

const stop = () => whileBusy(el("record"), "Saving the last seconds …", async () => {
  takeAnswer(await post("record/stop"));
  said("The recording is safe.");
});

let holding = null;
let stoppedByHolding = false;

function letGo() {
  clearTimeout(holding);
  el("record").classList.remove("held");
}

el("record").addEventListener("pointerdown", () => {
  stoppedByHolding = false;
  if (status?.recording === null || el("record").disabled) return;
  el("record").classList.add("held");
  holding = setTimeout(() => {
    stoppedByHolding = true;
    letGo();
    stop();
  }, HOLD_MS);
});
for (const name of ["pointerup", "pointercancel", "pointerleave"]) el("record").addEventListener(name, letGo);
el("record").addEventListener("contextmenu", (event) => event.preventDefault());
el("record").addEventListener("click", () => {
  if (stoppedByHolding) {
    stoppedByHolding = false;
  } else if (status && status.recording === null) {
    start([]);
  } else if (status) {
    el("stop-box").showModal();
  }
});
el("go-on").addEventListener("click", () => el("stop-box").close());
el("stop").addEventListener("click", () => {
  el("stop-box").close();
  stop();
});

el("mark").addEventListener("click", () => whileBusy(el("mark"), "Marking …", async () => {
  await post("mark", message("mark-request", {}));
  said(`Marked at ${length(status)}.`);
}));

// -------------------------------------------------------------------------------------------------- picture

const player = new Player(el("live"), (text) => {
  el("live-says").textContent = text;
  el("live").hidden = !player.on || text !== "";
});

el("watch").addEventListener("click", () => {
  const on = !player.on;
  el("watch").setAttribute("aria-pressed", on);
  if (on) player.start();
  else player.stop();
  el("live").hidden = !on;
  el("live-says").textContent = "";
});

function showStill(picture, why) {
  if (el("still").src) URL.revokeObjectURL(el("still").src);
  el("still").hidden = !picture;
  if (picture) el("still").src = URL.createObjectURL(picture);
  else el("still").removeAttribute("src");
  el("no-picture").textContent = picture ? "" : why;
}

async function still() {
  if (!signedIn || document.hidden || (player.on && !el("live").hidden)) return;
  try {
    showStill(await blob(framing ? "framing.jpg" : "preview.jpg"), "");
  } catch (fault) {
    // The assistant has none yet.
    if (!(framing && fault.status === 404)) showStill(null, fault.message);
  }
}

async function showStills() {
  for (;;) {
    await still();
    await sleep(framing ? FRAMING_MS : STILL_MS);
  }
}

document.addEventListener("visibilitychange", () => {
  // A page in a pocket keeps no camera open.
  if (document.hidden && player.on) el("watch").click();
});

// ------------------------------------------------------------------------------------- pointing and checks

el("frame").addEventListener("click", () => whileBusy(el("frame"), "", async () => {
  if (framing) {
    await post("framing/stop");
    return;
  }
  await post("framing/start");
  framing = true;
  showFraming();
}));

async function showFraming() {
  const idle = el("advice").textContent;
  el("frame").setAttribute("aria-pressed", true);
  // What to do stands right below the picture then.
  document.body.dataset.framing = true;
  while (framing) {
    const now = await get("framing").catch(() => ({ running: false }));
    framing = framing && now.running;
    if (!framing) break;
    const advice = now.framing?.good ? "The picture is good: lock the view." : now.framing?.sentences[0] ?? now.fault ?? "Looking …";
    if (el("advice").textContent !== advice) el("advice").textContent = advice;
    el("score").hidden = !now.framing;
    el("score").value = now.framing?.score ?? 0;
    await sleep(FRAMING_MS);
  }
  el("frame").setAttribute("aria-pressed", false);
  delete document.body.dataset.framing;
  el("score").hidden = true;
  el("advice").textContent = idle;
}

function showView(view) {
  el("lock").textContent = view.locked ? "Lock view anew" : "Lock view";
  el("view").textContent = view.locked ? "The view is locked: a knocked camera will be told." : "No view is locked: each recording is compared with its own first picture.";
}

el("lock").addEventListener("click", () => whileBusy(el("lock"), "", async () => {
  showView(await post("view/lock"));
  said("The view is locked.");
}));

// Who recorded for two hours last week will do so again.
el("planned").value = localStorage.getItem("planned-minutes") ?? "";
el("planned").addEventListener("change", () => {
  localStorage.setItem("planned-minutes", el("planned").value);
  // What the gates said was said of another length; a self-test goes on.
  if (el("self-test").disabled) return;
  el("checked").textContent = "";
  el("findings").replaceChildren();
});

el("ask-gates").addEventListener("click", () => whileBusy(el("ask-gates"), "", async () => {
  el("checked").textContent = "Asking …";
  try {
    const planned = el("planned").value;
    const { gates } = await get(planned ? `gates?planned_minutes=${planned}` : "gates");
    const closed = gates.filter((gate) => gate.verdict === "fail").length;
    el("checked").textContent = closed ? "The node would not record." : "The node is ready to record.";
    el("findings").replaceChildren(...findings(gates));
  } catch (fault) {
    el("checked").textContent = "";
    throw fault;
  }
}));

el("self-test").addEventListener("click", () => whileBusy(el("self-test"), "", async () => {
  el("findings").replaceChildren();
  let now = await post("self-test");
  while (now.running) {
    el("checked").textContent = "Testing: the node records for ten seconds …";
    await sleep(1000);
    now = await get("self-test");
  }
  const failed = now.fault ?? (now.report.stages.some((stage) => stage.verdict === "fail") && "Something has failed.");
  el("checked").textContent = failed || "All is well.";
  el("findings").replaceChildren(...findings(now.report?.stages ?? []));
}));

begin();
showStills();
