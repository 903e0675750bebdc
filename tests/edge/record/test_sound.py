"""Sound in the segments: in step with the picture, whole across their borders, and never in the recording's way."""

import threading

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.capture.sound import RATE, AlsaMicrophone, Sound, open_microphone
from edge.encode import Packet
from edge.encode.sound import SoundPacket
from edge.errors import SoundFault
from edge.record.listening import in_order
from edge.record.shelf import VIDEO

CHUNK = 480
BEEP_HZ = 2000


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


def heard(path) -> tuple[np.ndarray, float]:
    """The sound of a file (n,) and the time of its first sample, s after the first frame."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return np.zeros(0), 0.0
        frames = list(container.decode(audio=0))
    return np.concatenate([f.to_ndarray().reshape(-1) for f in frames]), float(frames[0].time)


@pytest.fixture
def record(rig, list_camera, frames, make_eyes, zero_ns, until):
    """Records so many seconds of picture beside a microphone; the picture keeps pace with the sound."""

    def run(seconds, microphone_of):
        second = threading.Event()
        reached = [0]

        def go(n):
            reached[0] = n
            second.set()

        shots = frames(*range(0, seconds * 1000, 40))

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
        recording = rig.record(list_camera(played), make_eyes(), zero_ns, microphone=microphone)
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
