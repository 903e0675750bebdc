// The match page: ties the video to the bar, the list of moments, the map and the numbers.
import { clips } from "./clips.js";
import { follow } from "./follow.js";
import { moments } from "./moments.js";
import { playback } from "./playback.js";
import { players } from "./players.js";
import { tacticalMap } from "./tactical.js";
import { trackSource } from "./tracks.js";
import { zoom } from "./zoom.js";

const data = JSON.parse(document.getElementById("match-data").textContent);
document.documentElement.style.setProperty("--home", data.home.colour);
document.documentElement.style.setProperty("--away", data.away.colour);

const video = document.getElementById("video");
const player = playback(video, data.duration);
moments(player, data.duration);
const source = trackSource(data.session);
tacticalMap(document.getElementById("map"), data, player, source);
follow(zoom(video), data.view, player, source);
clips(video);
players(data);
