import os

from hypothesis import settings

# No deadlines: machines are noisy. In CI the same examples every time, so that a failure is the change's own; at a desk
# new ones each time, so that more is found.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")
