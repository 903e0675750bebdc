// Plays the node's live picture: HLS where the browser can, else its parts through a MediaSource.

import { bytes, text } from "./api.js";

const EVERY_MS = 500;
const BEHIND_S = 2.5;

function codecOf(head) {
  const raw = new Uint8Array(head);
  for (let k = 0; k + 8 < raw.length; k++) {
    if (raw[k] === 0x61 && raw[k + 1] === 0x76 && raw[k + 2] === 0x63 && raw[k + 3] === 0x43) {
      return `avc1.${[...raw.slice(k + 5, k + 8)].map((b) => b.toString(16).padStart(2, "0")).join("")}`;
    }
  }
  throw new Error("The live picture cannot be read.");
}

const appended = (buffer, data) =>
  new Promise((resolve, reject) => {
    buffer.addEventListener("updateend", resolve, { once: true });
    buffer.addEventListener("error", () => reject(new Error("The live picture cannot be shown.")), { once: true });
    buffer.appendBuffer(data);
  });

const opened = (video) =>
  new Promise((resolve) => {
    const source = new MediaSource();
    source.addEventListener("sourceopen", () => resolve(source), { once: true });
    video.src = URL.createObjectURL(source);
  });

export class Player {
  constructor(video, says) {
    this.video = video;
    this.says = says;
    this.on = false;
    this.round = 0;
  }

  start() {
    this.on = true;
    this.run(++this.round);
  }

  stop() {
    this.on = false;
    this.round++;
    this.drop();
  }

  drop() {
    this.head = this.buffer = null;
    this.video.removeAttribute("src");
    this.video.load();
  }

  async run(round) {
    while (this.on && round === this.round) {
      try {
        await this.step();
        this.says("");
      } catch (fault) {
        if (round !== this.round) return;
        this.drop();
        this.says(fault.message);
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  async step() {
    const playlist = await text("live.m3u8");
    if (!this.on) return;
    if (!("MediaSource" in window)) {
      if (!this.video.src) this.video.src = "/api/v1/live.m3u8";
      return this.video.play();
    }
    const head = playlist.match(/URI="(.+?)"/)[1];
    if (head !== this.head) await this.begin(head);
    const parts = playlist.split("\n").filter((line) => line.endsWith(".m4s"));
    const fresh = parts.slice(this.last ? parts.indexOf(this.last) + 1 : -3);
    for (const part of fresh) {
      await appended(this.buffer, await bytes(part));
      this.last = part;
    }
    if (fresh.length) await this.keepUp();
  }

  async begin(head) {
    const data = await bytes(head);
    const source = await opened(this.video);
    this.buffer = source.addSourceBuffer(`video/mp4; codecs="${codecOf(data)}"`);
    await appended(this.buffer, data);
    this.head = head;
    this.last = null;
  }

  async keepUp() {
    const buffered = this.video.buffered;
    if (!buffered.length) return;
    const end = buffered.end(buffered.length - 1);
    // Also over a gap: what was missed is over.
    if (this.video.currentTime < end - BEHIND_S) this.video.currentTime = end - 1;
    if (this.video.paused) await this.video.play();
    if (buffered.start(0) < end - 30) {
      const gone = new Promise((resolve) => this.buffer.addEventListener("updateend", resolve, { once: true }));
      this.buffer.remove(0, end - 10);
      await gone;
    }
  }
}
