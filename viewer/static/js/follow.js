// Keeps the ball in the middle of the zoomed picture until somebody moves the picture by hand.
const GLIDE_S = 0.8;
const NEAR_S = [0, 0.5, -0.5, 1, -1, 1.5, -1.5]; // a ball hidden for a moment is looked for around it
const CUT_S = 1; // time that runs further than this in one step was sought: there is nothing to glide over
const CALM_MS = 2000; // for those who want less motion: rare jumps, and only when much has changed
const CALM_SHARE = 0.2;

// `view` is the panorama's geometry; packages that are older than it leave the picture to the hand.
export function follow(picture, view, player, source) {
  const chip = document.getElementById("follow");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let following = false;
  let at = 0.5;
  let shown = { time: -Infinity, now: 0, moved: -Infinity };
  let waiting = 0;

  const set = (on, time) => {
    following = on;
    shown.time = time;
    chip.setAttribute("aria-pressed", String(on));
    at = picture.centre();
    wake();
  };
  const wake = () => {
    if (following && !waiting) waiting = requestAnimationFrame(step);
  };
  const step = (now) => {
    waiting = 0;
    if (!following || !picture.zoomed()) return;
    const time = player.time();
    const paused = player.video.paused;
    const cut = Math.abs(time - shown.time) > CUT_S;
    const passed = Math.min((now - shown.now) / 1000, 0.1);
    // Looking ahead by as much as the glide lags keeps the ball itself in the middle.
    const found = aim(source, view, time + (paused ? 0 : GLIDE_S * player.video.playbackRate)) ?? aim(source, view, time);
    const target = found === null ? at : picture.within(found);
    const away = Math.abs(target - at);
    let { moved } = shown;
    if (!calm.matches && !cut) at += (target - at) * (1 - Math.exp(-passed / GLIDE_S));
    else if (cut || (now - moved > CALM_MS && away > CALM_SHARE * picture.frameShare())) [at, moved] = [target, now];
    // Until the tracks have come, a place sought is still to be jumped to.
    shown = { time: found === null && cut ? -Infinity : time, now, moved };
    picture.lookAt(at);
    if (!paused || found === null || (away > 0.0005 && !calm.matches)) wake();
  };

  if (!view) return;
  picture.onSwitch((on) => {
    chip.hidden = !on;
    set(on, -Infinity);
  });
  picture.onHand(() => set(false));
  // From where the hand left it the picture glides back.
  chip.addEventListener("click", () => set(!following, player.time()));
  player.onTime(wake);
  // On a narrow screen the whole picture is a strip on which nobody can be told from another.
  if (matchMedia("(max-width: 30rem)").matches) picture.set(true);
}

// Where to look at a time, as a share of the panorama's width: the ball, or the middle of the players; null when unknown.
function aim(source, view, time) {
  const [x, y] = view.centre_m;
  const share = (one) => ((Math.atan2(one.place[0] - x, one.place[1] - y) - view.left_rad) * view.focal_px) / view.width_px;
  for (const off of NEAR_S) {
    const ball = source.at(time + off, 0)?.find((one) => one.role === "ball");
    if (ball) return share(ball);
  }
  const players = source.at(time, 0)?.filter((one) => one.role === "player") ?? [];
  return players.length ? players.reduce((sum, one) => sum + share(one), 0) / players.length : null;
}
