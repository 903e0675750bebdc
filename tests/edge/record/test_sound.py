"""Sound in the segments: in step with the picture, whole across their borders, and never in the recording's way."""

import threading
from fractions import Fraction
from itertools import count
from math import pi, sqrt
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.clocks import boottime_ns
from edge.capture.sound import RATE, AlsaMicrophone, Sound, open_microphone
from edge.encode import Packet
from edge.encode.sound import SoundPacket
from edge.errors import SoundFault
from edge.record.listening import in_order
from edge.record.shelf import VIDEO
from wire.rigtime import SECOND

CHUNK = 480
BEEP_HZ = 2000
BOOTED_NS = 500 * SECOND
"""The time since boot at which a staged device begins to hear."""


class StagedMicrophone:
    """Hears `seconds` of quiet from `zero_ns` on, with a beep of 0.2 s at each of `beeps` (s); its stamps tremble by
    2 ms. It waits for `go` before each second."""

    def __init__(self, zero_ns, seconds, beeps=(), fails_at=None, go=lambda _second: None):
        self._zero_ns, self._seconds, self._beeps, self._fails_at, self._go = zero_ns, seconds, beeps, fails_at, go
        self._random = np.random.default_rng(3)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass

    def __iter__(self):
        for n in range(self._seconds * RATE // CHUNK):
            if n % (RATE // CHUNK) == 0:
                self._go(n * CHUNK // RATE)
            at = (n * CHUNK + np.arange(CHUNK)) / RATE
            if self._fails_at is not None and at[0] >= self._fails_at:
                raise SoundFault("the microphone was unplugged")
            loud = sum(((at >= b) & (at < b + 0.2)) for b in self._beeps) if self._beeps else 0
            wave = (0.3 * np.sin(2 * np.pi * BEEP_HZ * at) * loud).astype(np.float32)
            tremble = int(self._random.integers(-2_000_000, 2_000_000))
            yield Sound(wave + np.zeros(CHUNK, np.float32), self._zero_ns + n * CHUNK * 1_000_000_000 // RATE + tremble)


class StagedAlsa:
    """What `av.open` gives of an ALSA device, which hears the sound of a `StagedMicrophone` in periods; its two clocks,
    of which the system's is set by `step_s` once `step_at_s` was heard.

    It stamps as FFmpeg does, by the delay-locked loop of libavdevice/timefilter.c: a step moves the stamps slowly.
    """

    def __init__(self, zero_ns, seconds, beeps=(), *, step_s=0, step_at_s=0.0, period=CHUNK, **staged):
        self._heard = StagedMicrophone(0, seconds, beeps, **staged)
        self._step_ns, self._step_at_ns, self._period = step_s * SECOND, round(step_at_s * SECOND), period
        self._offset_ns = zero_ns - BOOTED_NS
        self._since_ns = 0

    def boottime_ns(self):
        return BOOTED_NS + self._since_ns

    def realtime_ns(self):
        return self.boottime_ns() + self._offset_ns

    def close(self):
        pass

    def demux(self, audio):
        assert audio == 0
        stamp = self._loop()
        next(stamp)
        waiting = np.zeros(0, np.float32)
        for sound in self._heard:
            waiting = np.concatenate([waiting, sound.samples])
            while len(waiting) >= self._period:
                samples, waiting = waiting[: self._period], waiting[self._period :]
                self._since_ns += self._period * SECOND // RATE
                if self._step_ns and self._since_ns >= self._step_at_ns:
                    self._offset_ns += self._step_ns
                    self._step_ns = 0
                frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
                frame.sample_rate = RATE
                pts = stamp.send(self.realtime_ns() / 1000 - self._period * 1e6 / RATE)
                yield SimpleNamespace(pts=pts, time_base=Fraction(1, 1_000_000), decode=lambda frame=frame: [frame])

    def _loop(self):
        def share(x):
            return 1 - 1 / (1 + x * (1 + x / 2 * (1 + x / 3)))

        tick_us = 1e6 / RATE
        bandwidth = 2 * pi * 1.5e-6 * self._period * tick_us
        told_us = cycle_us = yield
        for n in count(2):
            told_us = yield int(cycle_us)
            cycle_us += tick_us * self._period
            error_us = told_us - cycle_us
            cycle_us += max(share(sqrt(2) * bandwidth), 1 / n) * error_us
            tick_us += share(bandwidth * bandwidth) / self._period * error_us


@pytest.fixture
def plug_in(monkeypatch):
    """Makes the microphone of a staged ALSA device."""

    def make(device):
        with monkeypatch.context() as patch:
            patch.setattr("edge.capture.sound.av.open", lambda *_, **__: device)
            return AlsaMicrophone("hw:1", boottime_ns=device.boottime_ns, realtime_ns=device.realtime_ns)

    return make


def heard(path) -> tuple[np.ndarray, float]:
    """The sound of a file (n,) and the time of its first sample, s after the first frame."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return np.zeros(0), 0.0
        frames = list(container.decode(audio=0))
    return np.concatenate([f.to_ndarray().reshape(-1) for f in frames]), float(frames[0].time)


def beeps_of(rig, seconds) -> list[float]:
    """When the beeps begin in the segments, s since the session's zero, each piece of sound at its own time."""
    loud = np.zeros((seconds + 2) * RATE, bool)
    for offer in rig.offers():
        with av.open(str(rig.shelf.path(offer.key, VIDEO))) as container:
            for frame in container.decode(audio=0):
                at = round((offer.key.sequence * 2.0 + float(frame.time)) * RATE)
                samples = np.abs(frame.to_ndarray().reshape(-1)) > 0.1
                loud[at : at + len(samples)] |= samples[: max(0, len(loud) - at)]
    at = np.flatnonzero(loud)
    return (at[np.diff(at, prepend=-RATE) > 0.1 * RATE] / RATE).tolist()


@pytest.fixture
def record(rig, list_camera, frames, make_eyes, zero_ns, until):
    """Records so many seconds of picture beside a microphone; the picture keeps pace with the sound. The camera's clock
    is `late_ms` behind, and `ahead_ns` of the time since boot."""

    def run(seconds, microphone_of, *, late_ms=0, ahead_ns=0, **options):
        second = threading.Event()
        reached = [0]

        def go(n):
            reached[0] = n
            second.set()

        shots = frames(*range(-late_ms, seconds * 1000 - late_ms, 40))

        class Paced(threading.Event):
            def __init__(self, n):
                super().__init__()
                self._n = n

            def wait(self, _timeout=None):
                until(lambda: reached[0] >= self._n)

        microphone = microphone_of(go)
        played = [step for n, shot in enumerate(shots) for step in ([Paced(n // 25)] if n % 25 == 0 else []) + [shot]]
        # What was heard until after the last frame is there before the camera ends.
        played.append(Paced(seconds + 1))
        camera = list_camera(played)
        camera.ahead_ns = ahead_ns
        recording = rig.record(camera, make_eyes(), zero_ns, microphone=microphone, **options)
        rig.wait()
        return recording

    return run


def test_sound_is_in_step_with_the_picture_and_whole_across_segments(record, rig, zero_ns):
    beeps = (0.5, 1.9, 4.3)
    record(6, lambda go: StagedMicrophone(zero_ns - 300_000_000, 8, [b + 0.3 for b in beeps], go=go))
    parts = [(o.key.sequence * 2.0, *heard(rig.shelf.path(o.key, VIDEO))) for o in rig.offers()]
    assert len(parts) == 3
    whole = np.zeros(7 * RATE)
    covered = np.zeros(7 * RATE, bool)
    for start, samples, first in parts:
        at = round((start + first) * RATE)
        # The last segment also has what was heard until the microphone was let go of.
        kept = samples[: len(whole) - at]
        whole[at : at + len(kept)] = kept
        covered[at : at + len(kept)] = True
    assert covered[round(0.05 * RATE) : round(5.9 * RATE)].mean() > 0.99
    loud = np.abs(whole) > 0.1
    for beep in beeps:
        from_, to = round((beep - 0.1) * RATE), round((beep + 0.3) * RATE)
        began = (from_ + int(np.argmax(loud[from_:to]))) / RATE
        assert abs(began - beep) < 0.03
    spectrum = np.abs(np.fft.rfft(whole[round(0.52 * RATE) : round(0.68 * RATE)]))
    assert abs(int(np.argmax(spectrum)) / 0.16 - BEEP_HZ) < 20


@pytest.mark.parametrize("step_s", [3, -3])
def test_a_step_of_the_clock_parts_no_sound_from_its_picture(record, rig, zero_ns, plug_in, step_s):
    beeps = (0.5, 2.5, 3.1, 3.7, 4.5, 5.3, 6.5, 8.9)

    def microphone(go):
        return plug_in(StagedAlsa(zero_ns, 12, beeps, step_s=step_s, step_at_s=3.0, go=go))

    recording = record(10, microphone, ahead_ns=zero_ns - BOOTED_NS)
    assert recording.fault is None
    assert beeps_of(rig, 10) == pytest.approx(beeps, abs=0.06)
    assert all(len(heard(rig.shelf.path(o.key, VIDEO))[0]) > 1.9 * RATE for o in rig.offers())


def test_a_resumed_session_whose_clock_stays_behind_keeps_its_sound(record, rig, zero_ns):
    beeps = (0.5, 2.5, 3.3)
    behind_ns = 7 * SECOND
    record(
        4,
        lambda go: StagedMicrophone(zero_ns - behind_ns, 6, beeps, go=go),
        late_ms=7000,
        shift_ns=behind_ns,
    )
    assert beeps_of(rig, 4) == pytest.approx(beeps, abs=0.06)


@pytest.mark.parametrize("step_s", [0, 3, -3, 3600])
@pytest.mark.parametrize("period", [160, 1024, 16384])
def test_samples_keep_the_time_since_boot_whatever_the_clock_does(zero_ns, plug_in, period, step_s):
    with plug_in(StagedAlsa(zero_ns, 20, step_s=step_s, step_at_s=5.0, period=period)) as microphone:
        pieces = [(len(sound.samples), sound.time_ns - BOOTED_NS) for sound in microphone]
    lengths, times_ns = np.array(pieces).T
    assert set(lengths) == {max(period, RATE // 100 // period * period)}
    before = np.cumsum(lengths) - lengths
    assert np.abs(times_ns - before * (SECOND / RATE)).max() < 0.01 * SECOND


def test_frames_are_all_there_and_times_unchanged_with_sound(record, rig, zero_ns):
    record(4, lambda go: StagedMicrophone(zero_ns, 6, go=go))
    assert [o.frames for o in rig.offers()] == [50, 50]
    for offer in rig.offers():
        with av.open(str(rig.shelf.path(offer.key, VIDEO))) as container:
            times = [round(float(f.time) * 1000) for f in container.decode(video=0)]
        assert times == list(range(0, 2000, 40))


def test_a_microphone_that_fails_costs_only_the_sound(record, rig, zero_ns):
    recording = record(6, lambda go: StagedMicrophone(zero_ns, 8, fails_at=2.5, go=lambda n: go(n if n < 2 else 99)))
    assert recording.fault == "the microphone was unplugged"
    assert not recording.broken
    assert [o.frames for o in rig.offers()] == [50, 50, 50]
    assert len(heard(rig.shelf.path(rig.offers()[0].key, VIDEO))[0]) > 1.8 * RATE


def test_a_segment_without_a_microphone_has_no_sound(rig, list_camera, frames, make_eyes, zero_ns):
    rig.record(list_camera(frames(0, 40)), make_eyes(), zero_ns)
    rig.wait()
    assert len(heard(rig.shelf.path(rig.offers()[0].key, VIDEO))[0]) == 0


def test_the_sign_is_given_once_and_when_the_first_frame_is_there(rig, list_camera, frames, make_eyes, zero_ns):
    signs = []
    hold = threading.Event()
    rig.record(list_camera([hold, *frames(0, 40, 80)]), make_eyes(), zero_ns, rolling=lambda: signs.append(1))
    assert signs == []
    hold.set()
    rig.wait()
    assert signs == [1]


def test_a_microphone_that_is_not_there_is_named():
    with pytest.raises(SoundFault, match="there is no microphone hw:42,7"):
        AlsaMicrophone("hw:42,7")
    with pytest.raises(SoundFault, match="write alsa:DEVICE"):
        open_microphone("pulse")


def test_a_microphone_that_does_not_open_is_not_waited_for_and_let_go_once_it_does(monkeypatch):
    free, let_go = threading.Event(), threading.Event()

    class Held:
        def __init__(self, _device):
            free.wait(20)

        def __exit__(self, *exc):
            let_go.set()

    monkeypatch.setattr("edge.capture.sound.AlsaMicrophone", Held)
    with pytest.raises(SoundFault, match=r"the microphone hw:1 does not open: another program may hold it"):
        open_microphone("alsa:hw:1", limit_s=0.01)
    free.set()
    assert let_go.wait(20)


needs_alsa = pytest.mark.skipif("alsa" not in av.formats_available, reason="this FFmpeg has no ALSA")


@pytest.fixture
def tape(tmp_path, monkeypatch):
    """Half a second of samples (n,) int16, and a device `tape` of the real libasound that hears them, as fast as they
    are read."""
    samples = np.random.default_rng(5).integers(-32768, 32768, RATE // 2).astype("<i2")
    samples.tofile(tmp_path / "tape.raw")
    device = f'type file slave.pcm quiet file "/dev/null" infile "{tmp_path / "tape.raw"}" format raw'
    (tmp_path / "asound.conf").write_text(f"pcm.quiet {{ type null }}\npcm.tape {{ {device} }}\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    return samples


@needs_alsa
def test_every_sample_of_a_real_alsa_device_is_heard_once_in_order_and_at_its_time(tape):
    pieces = []
    before_ns = boottime_ns()
    with AlsaMicrophone("tape") as microphone:
        for sound in microphone:
            pieces.append(sound)
            if sum(len(piece.samples) for piece in pieces) > len(tape) - RATE // 10:
                break
    after_ns = boottime_ns()
    heard = np.concatenate([piece.samples for piece in pieces])
    assert heard.dtype == np.float32
    np.testing.assert_array_equal(heard, tape[: len(heard)] / np.float32(32768))
    times_ns = [piece.time_ns for piece in pieces]
    # FFmpeg's later stamps expect the device's own pace, which nobody keeps here.
    assert before_ns <= times_ns[0] <= after_ns
    assert times_ns == sorted(times_ns)
    # This device gives single samples; nobody wants to be called for each.
    assert min(len(piece.samples) for piece in pieces) >= RATE // 100


@needs_alsa
@pytest.mark.skipif(not Path("/usr/share/alsa/alsa.conf").exists(), reason="this system has no ALSA configuration")
def test_the_systems_own_devices_are_found(monkeypatch):
    for name in ("ALSA_CONFIG_DIR", "ALSA_CONFIG_PATH"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with AlsaMicrophone("null") as microphone:
        assert len(next(iter(microphone)).samples) >= RATE // 100


@given(
    frames=st.lists(st.integers(0, 5_000), unique=True, max_size=30).map(sorted),
    sounds=st.lists(st.integers(0, 5_000), unique=True, max_size=30).map(sorted),
    data=st.data(),
)
def test_whatever_comes_when_all_leaves_and_each_kind_in_its_order(frames, sounds, data):
    left = {"f": list(frames), "s": list(sounds)}
    arrivals = []
    while left["f"] or left["s"]:
        kind = data.draw(st.sampled_from([k for k in "fs" if left[k]]))
        ms = left[kind].pop(0)
        ns = ms * 1_000_000
        arrivals.append(Packet("h264", b"", ns, False) if kind == "f" else SoundPacket(b"", ns))

    out = list(in_order(arrivals, listening=True))
    assert [p.time_ns // 1_000_000 for p in out if isinstance(p, Packet)] == frames
    assert [p.time_ns // 1_000_000 for p in out if isinstance(p, SoundPacket)] == sounds
