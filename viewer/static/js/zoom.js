// The picture larger than its frame, which then shows a part of it and can be moved by touch, wheel, mouse and arrows.
const DRAG_PX = 6;
const STRAY_PX = 3; // browsers round where they scroll to

// Wires the button. Places are shares of the picture's width, 0 its left edge; `onHand` hears when people move it.
export function zoom(video) {
  const button = document.getElementById("zoom");
  const screen = video.parentElement;
  const switches = [];
  const hands = [];
  let zoomed = false;
  let centre = 0.5;
  let placed = { left: 0, frame: 0, picture: 0 };
  let dragged = false;

  video.style.setProperty("--ratio", video.width / video.height);

  const half = () => screen.clientWidth / screen.scrollWidth / 2;
  const note = () => (placed = { left: screen.scrollLeft, frame: screen.clientWidth, picture: screen.scrollWidth });
  const lookAt = (share) => {
    centre = share;
    screen.scrollLeft = share * screen.scrollWidth - screen.clientWidth / 2;
    note();
  };
  const set = (on) => {
    zoomed = on;
    screen.classList.toggle("zoomed", on);
    button.setAttribute("aria-pressed", String(on));
    const names = { tabindex: "0", role: "group", "aria-label": "Picture, wider than its frame; arrow keys move it" };
    for (const [name, value] of Object.entries(names)) {
      if (on) screen.setAttribute(name, value);
      else screen.removeAttribute(name);
    }
    lookAt(0.5);
    for (const listener of switches) listener(on);
  };
  const byHand = () => {
    if (zoomed) for (const listener of hands) listener();
  };

  button.addEventListener("click", () => set(!zoomed));
  const resized = new ResizeObserver(() => lookAt(centre));
  for (const box of [screen, video]) resized.observe(box);
  screen.addEventListener("scroll", () => {
    if (!zoomed || Math.abs(screen.scrollLeft - placed.left) <= STRAY_PX) return;
    // A picture that shrinks, as on leaving full screen, is pushed by its frame and by no hand.
    if (placed.frame !== screen.clientWidth || placed.picture !== screen.scrollWidth) return lookAt(centre);
    centre = (screen.scrollLeft + screen.clientWidth / 2) / screen.scrollWidth;
    note();
    byHand();
  });
  // A slow hand moves less in one frame than rounding does: so its devices are heard as well as the scrolling.
  screen.addEventListener("wheel", (event) => {
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) byHand();
  }, { passive: true });
  screen.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") byHand();
  });
  let finger = null;
  screen.addEventListener("touchstart", ({ touches: [now] }) => (finger = [now.clientX, now.clientY]), { passive: true });
  screen.addEventListener("touchmove", ({ touches: [now] }) => {
    const [x, y] = [now.clientX - finger[0], now.clientY - finger[1]].map(Math.abs);
    if (x > DRAG_PX && x > y) byHand();
  }, { passive: true });

  // Touch pans by itself; a mouse without a sideways wheel could not.
  let grip = null;
  screen.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (zoomed && event.pointerType === "mouse" && event.button === 0) grip = { x: event.clientX, from: screen.scrollLeft };
  });
  window.addEventListener("pointermove", (event) => {
    if (!grip || (!dragged && Math.abs(event.clientX - grip.x) < DRAG_PX)) return;
    if (!dragged) byHand();
    dragged = true;
    screen.scrollLeft = grip.from + grip.x - event.clientX;
  });
  for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, () => (grip = null));
  screen.addEventListener("click", (event) => {
    if (dragged) event.stopPropagation();
    dragged = false;
  }, { capture: true });

  return {
    set,
    zoomed: () => zoomed,
    centre: () => centre,
    lookAt,
    // The nearest place to `share` that the frame can have in its middle.
    within: (share) => Math.min(Math.max(share, half()), 1 - half()),
    frameShare: () => 2 * half(),
    onSwitch: (listener) => switches.push(listener),
    onHand: (listener) => hands.push(listener),
  };
}
