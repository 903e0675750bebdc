// The tactical map: everybody from above, in step with the video; teams differ by colour and by shape.
import { drawPitch, fit } from "./pitch.js";

const TRAIL_S = 2;
const BALL_TRAIL_S = 1.2;

export function tacticalMap(canvas, data, player, source) {
  const trails = document.getElementById("trails");
  let frame = fit(canvas, data.pitch);
  let waiting = 0;

  const draw = (seconds) => {
    drawPitch(frame, data.pitch);
    const everybody = source.at(seconds, trails.checked ? TRAIL_S : 0);
    canvas.dataset.drawn = everybody ? everybody.length : "";
    clearTimeout(waiting);
    if (!everybody) {
      waiting = setTimeout(() => draw(player.time()), 100);
      return;
    }
    const ball = everybody.filter((one) => one.role === "ball");
    const people = everybody.filter((one) => one.role !== "ball");
    for (const one of people) trail(frame, one.trail, colour(one, data), 1.6);
    for (const one of people) body(frame, one, colour(one, data));
    for (const one of ball) {
      trail(frame, one.trail.slice(-Math.round(BALL_TRAIL_S * 5)), "#ffffff", 2.2);
      dot(frame, one.place);
    }
  };

  player.onTime(draw);
  trails.addEventListener("change", () => draw(player.time()));
  new ResizeObserver(() => {
    frame = fit(canvas, data.pitch);
    draw(player.time());
  }).observe(canvas.parentElement);
}

function colour(one, data) {
  if (one.role === "referee") return "#e0aa2e";
  return { home: data.home.colour, away: data.away.colour }[one.team] ?? "#aab7ae";
}

function trail({ pen, x, y }, places, stroke, width) {
  pen.lineWidth = width;
  pen.strokeStyle = stroke;
  for (let i = 1; i < places.length; i++) {
    pen.globalAlpha = (0.65 * i) / places.length;
    pen.beginPath();
    pen.moveTo(x(places[i - 1][0]), y(places[i - 1][1]));
    pen.lineTo(x(places[i][0]), y(places[i][1]));
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

function body({ pen, scale, x, y }, one, fill) {
  const [cx, cy] = [x(one.place[0]), y(one.place[1])];
  const r = Math.min(Math.max(1.05 * scale, 5), 11);
  pen.beginPath();
  if (one.role === "referee") {
    pen.moveTo(cx, cy - r);
    pen.lineTo(cx + r, cy + 0.8 * r);
    pen.lineTo(cx - r, cy + 0.8 * r);
  } else if (one.team === "away") {
    pen.moveTo(cx, cy - 1.25 * r);
    pen.lineTo(cx + 1.25 * r, cy);
    pen.lineTo(cx, cy + 1.25 * r);
    pen.lineTo(cx - 1.25 * r, cy);
  } else if (one.team === "home") {
    pen.arc(cx, cy, r, 0, 7);
  } else {
    pen.rect(cx - 0.8 * r, cy - 0.8 * r, 1.6 * r, 1.6 * r);
  }
  pen.closePath();
  pen.fillStyle = fill;
  pen.fill();
  pen.lineWidth = 1.5;
  pen.strokeStyle = "rgb(255 255 255 / 92%)";
  pen.stroke();
}

function dot({ pen, scale, x, y }, place) {
  pen.beginPath();
  pen.arc(x(place[0]), y(place[1]), Math.min(Math.max(0.6 * scale, 3.5), 6), 0, 7);
  pen.fillStyle = "#ffffff";
  pen.fill();
  pen.lineWidth = 2;
  pen.strokeStyle = "#0a110d";
  pen.stroke();
}
