// The list of moments, their marks on the bar, and the way from one to the next.
const EARLIER_S = 3; // a tap shows how the moment came about
const RANK = ["kick_off", "half_time", "corner", "free_kick", "shot", "save", "mark", "penalty", "goal"];
const ROOM_PX = 29;

export function moments(player, duration) {
  const byId = (id) => document.getElementById(id);
  const list = byId("moments");
  const marks = byId("marks");
  const screen = player.video.parentElement;
  const all = [...list.querySelectorAll(".moment")].map((button) => ({
    button,
    time: Number(button.dataset.time),
    key: button.parentElement.dataset.key === "1",
    words: [button.querySelector(".what"), button.querySelector(".whose")]
      .map((part) => part?.textContent.trim())
      .filter(Boolean)
      .join(", "),
  }));
  const shown = () => (list.dataset.filter === "key" ? all.filter((moment) => moment.key) : all);
  const goTo = (moment) => player.seek(moment.time - EARLIER_S);

  for (const moment of all) {
    moment.button.addEventListener("click", () => {
      goTo(moment);
      // On a phone the list lies below the picture it speaks of. A picture that loses only its rim stays where it is.
      const { top, bottom, height } = screen.getBoundingClientRect();
      if (Math.min(bottom, window.innerHeight) - Math.max(top, 0) < 0.9 * height) screen.scrollIntoView({ block: "nearest" });
    });
    const { mark, side, type } = moment.button.dataset;
    const dot = document.createElement("button");
    dot.type = "button";
    dot.className = `mark type-${type} ${side}${side === "away" ? " below" : ""}`;
    // Its letters are a picture: what is read out and spoken to it are the words.
    dot.dataset.mark = mark;
    dot.setAttribute("aria-label", `${moment.button.querySelector(".at").textContent} ${moment.words}`);
    dot.title = dot.getAttribute("aria-label");
    // The list beside it leads to the same places: one way through it by keyboard is enough.
    dot.tabIndex = -1;
    dot.style.left = `${(100 * moment.time) / duration}%`;
    dot.addEventListener("click", () => goTo(moment));
    moment.dot = dot;
    moment.rank = moment.key ? RANK.indexOf(type) : -2;
    marks.append(dot);
  }

  // Where marks would cover each other, only the weightiest keeps its letters; the others become strokes.
  const spread = () => {
    const taken = { above: [], below: [] };
    for (const moment of [...shown()].sort((a, b) => b.rank - a.rank)) {
      const lane = taken[moment.dot.classList.contains("below") ? "below" : "above"];
      const at = (marks.clientWidth * moment.time) / duration;
      const small = moment.rank === -2 || lane.some((other) => Math.abs(other - at) < ROOM_PX);
      moment.dot.classList.toggle("small", small);
      if (!small) lane.push(at);
    }
  };

  const filter = (which) => {
    list.dataset.filter = which;
    byId("key-only").setAttribute("aria-pressed", String(which === "key"));
    byId("all").setAttribute("aria-pressed", String(which === "all"));
    for (const moment of all) moment.dot.hidden = which === "key" && !moment.key;
    spread();
  };
  byId("key-only").addEventListener("click", () => filter("key"));
  byId("all").addEventListener("click", () => filter("all"));
  filter(all.some((moment) => moment.key) ? "key" : "all");
  new ResizeObserver(spread).observe(marks);

  // A moment counts as reached from its run-up on; so "previous" leads away from the one just tapped.
  const reached = (time) => time + EARLIER_S + 0.3;
  byId("next").addEventListener("click", () => {
    const moment = shown().find((m) => m.time > reached(player.time()));
    if (moment) goTo(moment);
  });
  byId("previous").addEventListener("click", () => {
    const before = shown().filter((m) => m.time < reached(player.time()) - 1);
    if (before.length) goTo(before.at(-1));
    else player.seek(0);
  });

  let current = null;
  player.onTime((time) => {
    const at = shown().filter((m) => m.time <= reached(time)).at(-1);
    const found = at && reached(time) - at.time < 12 ? at : null;
    if (found === current) return;
    for (const moment of [current, found]) {
      if (!moment) continue;
      moment.button.setAttribute("aria-current", String(moment === found));
      moment.dot.classList.toggle("here", moment === found);
    }
    current = found;
    byId("now").textContent = found ? found.words : "";
  });
}
