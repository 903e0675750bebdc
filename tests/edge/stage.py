"""Paints small pictures of people and balls on grass, for the tests of the node's eyes."""

import cv2
import numpy as np

SKIN, DARK, HAIR, WHITE = (120, 150, 195), (40, 35, 35), (30, 40, 60), (235, 235, 235)
RED, BLUE = (40, 40, 200), (200, 60, 40)
FINE = 4


class Stage:
    """Noisy pictures of figures on the same textured grass; `people` are (x, foot y, height, shirt in BGR), `balls`
    are (x, y, radius), `light` multiplies everything."""

    def __init__(self, width=960, height=544, seed=1):
        self.width, self.height = width, height
        self._random = np.random.default_rng(seed)
        coarse = self._random.normal(0, 6, (height // 8, width // 8)).astype(np.float32)
        blades = self._random.normal(0, 4, (height, width))
        grain = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) + blades
        self._grass = np.clip(np.stack([60 + grain * 0.6, 120 + grain, 75 + grain * 0.8], axis=2), 0, 255)

    def picture(self, people=(), balls=(), light=1.0, noise=1.5):
        """I420 planes (h * 3 // 2, w)."""
        image = self._grass.astype(np.uint8)
        for person in sorted(people, key=lambda p: p[1]):
            _figure(image, *person)
        for x, y, radius in balls:
            at = (round(x * 16), round(y * 16))
            cv2.circle(image, at, round(radius * 16), (245, 245, 245), -1, cv2.LINE_AA, FINE)
        # Grey noise: one draw instead of three, and a fifth of the time.
        grain = self._random.standard_normal(image.shape[:2], dtype=np.float32)[..., None] * np.float32(noise)
        noisy = image * np.float32(light) + grain
        return cv2.cvtColor(np.clip(noisy, 0, 255).astype(np.uint8), cv2.COLOR_BGR2YUV_I420)


def _figure(image, x, foot, tall, shirt):
    def at(right, up):
        return round((x + right * tall) * 16), round((foot - up * tall) * 16)

    def limb(a, b, thick, colour):
        cv2.line(image, at(*a), at(*b), colour, max(1, round(thick * tall)), cv2.LINE_AA, FINE)

    def disc(up, wide, high, colour):
        axes = (round(wide * tall * 16), round(high * tall * 16))
        cv2.ellipse(image, at(0, up), axes, 0, 0, 360, colour, -1, cv2.LINE_AA, FINE)

    stride = 0.5 + 0.5 * np.sin(x / tall * 4)
    for side in (-1, 1):
        knee = side * (0.03 + 0.10 * stride)
        limb((side * 0.04, 0.48), (knee, 0.25), 0.085, SKIN)
        limb((knee, 0.25), (knee * 1.3 - 0.02, 0.03), 0.07, WHITE)
        limb((knee * 1.3 - 0.02, 0.02), (knee * 1.3 + 0.05, 0.015), 0.045, DARK)
        limb((side * 0.10, 0.78), (side * 0.16, 0.60), 0.06, shirt)
        limb((side * 0.16, 0.60), (side * 0.13 - 0.06 * stride, 0.47), 0.05, SKIN)
    limb((-0.05, 0.50), (0.05, 0.50), 0.14, DARK)
    trunk = np.array([at(-0.12, 0.82), at(0.12, 0.82), at(0.09, 0.5), at(-0.09, 0.5)], np.int32)
    cv2.fillPoly(image, [trunk], shirt, cv2.LINE_AA, FINE)
    limb((0, 0.82), (0, 0.88), 0.06, SKIN)
    disc(0.925, 0.05, 0.07, SKIN)
    disc(0.955, 0.053, 0.045, HAIR)
