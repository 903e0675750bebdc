// Clips play on a tap, in a box over the page; the match waits meanwhile.
export function clips(matchVideo) {
  const box = document.getElementById("clip-box");
  const video = document.getElementById("clip-video");
  document.getElementById("clips")?.addEventListener("click", (event) => {
    const clip = event.target.closest(".clip");
    if (!clip) return;
    matchVideo.pause();
    video.src = clip.dataset.src;
    box.setAttribute("aria-label", `Clip: ${clip.querySelector(".clip-name").textContent.trim()}`);
    box.showModal();
    video.play().catch(() => {});
  });
  box.addEventListener("close", () => {
    video.pause();
    video.removeAttribute("src");
    video.load();
  });
  box.addEventListener("click", (event) => {
    if (event.target === box) box.close();
  });
}
