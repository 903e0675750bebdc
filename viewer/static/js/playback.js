// The video with its own controls. Without this module the browser's controls stay.
import { clock } from "./clock.js";

const SPEEDS = [1, 2, 0.5];

// Wires the controls; returns how the rest of the page reads the time, seeks, and hears of frames.
export function playback(video, duration) {
  const byId = (id) => document.getElementById(id);
  const box = video.closest(".player");
  const scrub = byId("scrub");
  const listeners = [];
  let dragging = false;

  video.controls = false;
  byId("bar").hidden = byId("controls").hidden = false;

  const toggle = () => (video.paused ? video.play() : video.pause());
  const seek = (seconds) => {
    video.currentTime = Math.min(Math.max(seconds, 0), (video.duration || duration) - 0.05);
    show(video.currentTime);
  };
  const show = (seconds) => {
    byId("clock").textContent = clock(seconds);
    if (!dragging) scrub.value = seconds;
    scrub.setAttribute("aria-valuetext", clock(seconds));
    scrub.style.setProperty("--done", `${(100 * seconds) / duration}%`);
    for (const listener of listeners) listener(seconds);
  };

  // Where the browser tells of each frame, the map keeps step with the picture and not with the timer.
  if ("requestVideoFrameCallback" in HTMLVideoElement.prototype) {
    const frame = (_, about) => {
      show(about.mediaTime);
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  } else {
    const tick = () => {
      show(video.currentTime);
      if (!video.paused) requestAnimationFrame(tick);
    };
    video.addEventListener("play", () => requestAnimationFrame(tick));
  }
  video.addEventListener("seeked", () => show(video.currentTime));
  video.addEventListener("timeupdate", () => show(video.currentTime));

  const playing = () => {
    box.classList.toggle("playing", !video.paused);
    byId("play").setAttribute("aria-label", video.paused ? "Play" : "Pause");
  };
  for (const name of ["play", "pause", "ended"]) video.addEventListener(name, playing);
  byId("play").addEventListener("click", toggle);
  video.addEventListener("click", toggle);

  scrub.max = duration;
  scrub.addEventListener("input", () => {
    dragging = true;
    seek(Number(scrub.value));
  });
  scrub.addEventListener("change", () => (dragging = false));
  scrub.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2, PageDown: -10, PageUp: 10 }[event.key];
    if (!step) return;
    event.preventDefault();
    seek(video.currentTime + step);
  });

  byId("speed").addEventListener("click", () => {
    video.playbackRate = SPEEDS[(SPEEDS.indexOf(video.playbackRate) + 1) % SPEEDS.length];
    byId("speed").textContent = `${video.playbackRate}×`.replace("0.5", "½");
    byId("speed").setAttribute("aria-label", `Speed ${byId("speed").textContent}`);
  });
  byId("full").hidden = !box.requestFullscreen;
  byId("full").addEventListener("click", () =>
    document.fullscreenElement ? document.exitFullscreen() : box.requestFullscreen(),
  );
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("button, input, a, select, dialog, [tabindex='0']:not(.screen)") || event.ctrlKey || event.metaKey || event.altKey) return;
    // There the arrows move the picture.
    if (event.target.closest(".screen[tabindex='0']") && event.key.startsWith("Arrow")) return;
    const act = { " ": toggle, k: toggle, ArrowLeft: () => seek(video.currentTime - 5), ArrowRight: () => seek(video.currentTime + 5) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  return {
    video,
    seek,
    time: () => video.currentTime,
    onTime: (listener) => {
      listeners.push(listener);
      listener(video.currentTime);
    },
  };
}
