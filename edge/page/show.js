// How a node's condition and its findings read.

// The gates' limits (edge/gates/checks.py), so that a number looks bad here when it would close a gate.
export const LIMITS = { hotC: 80, warmC: 75, batteryEmpty: 10, batteryLow: 30 };

const WORDS = { pass: "✓ good", warn: "⚠ look", fail: "✕ bad" };

export function findings(found) {
  return found.map((finding) => {
    const item = Object.assign(document.createElement("li"), { className: finding.verdict });
    item.append(
      Object.assign(document.createElement("b"), { textContent: WORDS[finding.verdict] }),
      Object.assign(document.createElement("span"), { textContent: finding.sentence }),
    );
    return item;
  });
}

export function lost({ frames, frames_dropped: gone }) {
  const percent = (100 * gone) / (frames + gone);
  return `${gone} of ${frames + gone}, ${percent < 1 ? "less than 1" : Math.round(percent)} %`;
}

export function facts({ storage, clock, clock_verdict, board }) {
  return {
    space: storage.level === "unknown" ? { text: "not known", more: "the disk does not answer", verdict: "fail" } : {
      text: storage.minutes_left < 120 ? `${Math.floor(storage.minutes_left)} min left` : `${Math.floor(storage.minutes_left / 60)} h left`,
      more: `${(storage.free_bytes / 1e9).toFixed(1)} GB free`,
      verdict: { ok: "pass", low: "warn", full: "fail" }[storage.level],
    },
    temperature: temperature(board.temperature_c),
    clock: clockFact(clock, clock_verdict),
    battery: battery(board.battery),
    supply: supply(board.supply),
  };
}

function temperature(celsius) {
  if (celsius === null) return { text: "not told", verdict: "pass" };
  const verdict = celsius >= LIMITS.hotC ? "fail" : celsius >= LIMITS.warmC ? "warn" : "pass";
  return { text: `${celsius.toFixed(0)} °C`, verdict };
}

// The node judges its clock itself: whether it is near enough depends on where its hub is.
function clockFact({ offset_ns: offset, uncertainty_ns: bound, reference }, verdict) {
  const ms = (ns) => (ns < 1e9 ? `${(ns / 1e6).toFixed(1)} ms` : `${(ns / 1e9).toFixed(0)} s`);
  return {
    text: offset === null ? "offset unknown" : `${offset < 0 ? "−" : "+"}${ms(Math.abs(offset))}`,
    more: `within ${ms(bound)}${reference ? `, by ${reference}` : ""}`,
    verdict,
  };
}

function battery(told) {
  if (!told) return { text: "none", verdict: "pass" };
  const { percent, discharging } = told;
  const verdict = !discharging ? "pass" : percent < LIMITS.batteryEmpty ? "fail" : percent < LIMITS.batteryLow ? "warn" : "pass";
  return { text: `${percent} %`, more: discharging ? "being emptied" : "not being emptied", verdict };
}

function supply(told) {
  if (!told) return { text: "not told", verdict: "pass" };
  const more = told.volts === null ? "" : `${told.volts.toFixed(2)} V`;
  if (told.under_voltage) return { text: "too weak", more, verdict: "fail" };
  if (told.throttled || told.frequency_capped || told.soft_temperature_limit) return { text: "holds back", more, verdict: "warn" };
  if (told.under_voltage_before) return { text: "was too weak", more, verdict: "warn" };
  return { text: "good", more, verdict: "pass" };
}
