// Positions of the match, fetched a minute at a time.
const CHUNK_S = 60;

export function trackSource(session) {
  const chunks = new Map();
  const get = (index) => {
    if (index < 0) return null;
    if (!chunks.has(index)) {
      chunks.set(index, null);
      fetch(`/matches/${session}/tracks.json?from=${index * CHUNK_S}&to=${(index + 1) * CHUNK_S}`)
        .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
        .then((chunk) => chunks.set(index, chunk))
        // Asked again with the next frame that needs it, but not at once.
        .catch(() => setTimeout(() => chunks.delete(index), 3000));
    }
    return chunks.get(index);
  };

  // Metres of one track at a time within a chunk, or null; halfway between two samples it is halfway between them.
  const place = (chunk, track, seconds) => {
    const sample = (seconds - chunk.from) * chunk.rate - track.at;
    const first = Math.floor(sample);
    const one = (i) => {
      const at = track.xy[2 * i];
      return i < 0 || at === undefined || at === null ? null : [at / 100, track.xy[2 * i + 1] / 100];
    };
    const a = one(first);
    const b = one(first + 1);
    if (!a || !b) return a ?? (sample - first > 0.5 ? b : null);
    const part = sample - first;
    return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part];
  };

  return {
    // Everybody at a time: [{id, role, team, place, trail}]; null while it is being fetched.
    at(seconds, trailSeconds) {
      const index = Math.floor(seconds / CHUNK_S);
      const chunk = get(index);
      if (seconds % CHUNK_S > CHUNK_S - 15) get(index + 1);
      if (!chunk) return null;
      const out = [];
      for (const track of chunk.tracks) {
        const at = place(chunk, track, seconds);
        if (!at) continue;
        const trail = [];
        for (let back = trailSeconds; back > 0; back -= 1 / chunk.rate) {
          const was = seconds - back < chunk.from ? null : place(chunk, track, seconds - back);
          if (was) trail.push(was);
        }
        out.push({ id: track.id, role: track.role, team: track.team, place: at, trail });
      }
      return out;
    },
  };
}
