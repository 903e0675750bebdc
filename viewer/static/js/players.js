// The table of players, and the heat map of the one picked, with the same in numbers beside it.
import { drawPitch, fit } from "./pitch.js";

export function players(data) {
  const canvas = document.getElementById("heat");
  const picks = [...document.querySelectorAll(".pick")];
  let heat = null;

  const draw = () => {
    const frame = fit(canvas, data.pitch);
    drawPitch(frame, data.pitch);
    if (heat) drawHeat(frame, heat, data.pitch);
  };
  const pick = async (button) => {
    for (const other of picks) other.setAttribute("aria-pressed", String(other === button));
    document.getElementById("heat-title").textContent = `Heat map of ${button.textContent.trim().replace(/\s+/g, " ")}`;
    const answer = await fetch(`/matches/${data.session}/players/${button.dataset.track}`);
    if (!answer.ok || button.getAttribute("aria-pressed") !== "true") return;
    const found = await answer.json();
    heat = found.heat;
    canvas.dataset.track = found.track;
    draw();
    const cells = [...document.querySelectorAll("#thirds tbody td")];
    found.thirds.flat().forEach((share, i) => (cells[i].textContent = `${Math.round(100 * share)} %`));
  };

  for (const button of picks) button.addEventListener("click", () => pick(button));
  const more = document.getElementById("more");
  more?.addEventListener("click", () => {
    const pieces = document.getElementById("pieces");
    pieces.hidden = !pieces.hidden;
    more.setAttribute("aria-expanded", String(!pieces.hidden));
  });
  new ResizeObserver(draw).observe(canvas.parentElement);
  if (picks.length) pick(picks[0]);
}

// Rows run from the near to the far touchline. Drawn small and smoothed up, so that cells do not show.
function drawHeat({ pen, scale, x, y }, heat, pitch) {
  const rows = heat.length;
  const columns = heat[0].length;
  const most = Math.max(...heat.flat(), 1e-9);
  const small = document.createElement("canvas");
  small.width = columns;
  small.height = rows;
  const cells = small.getContext("2d").createImageData(columns, rows);
  heat.forEach((row, r) =>
    row.forEach((seconds, c) => {
      const warm = Math.sqrt(seconds / most);
      const at = 4 * ((rows - 1 - r) * columns + c);
      cells.data.set([255, Math.round(225 - 150 * warm), Math.round(120 - 90 * warm), Math.round(255 * Math.min(warm * 1.5, 0.92))], at);
    }),
  );
  small.getContext("2d").putImageData(cells, 0, 0);
  pen.save();
  pen.imageSmoothingEnabled = true;
  pen.imageSmoothingQuality = "high";
  pen.filter = `blur(${1.2 * scale}px)`;
  pen.drawImage(small, x(-pitch.length / 2), y(pitch.width / 2), pitch.length * scale, pitch.width * scale);
  pen.restore();
}
