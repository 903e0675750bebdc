"""`python -m tests.fakes.teamsnap`: the same as `python -m simulator.teamsnap`."""

from simulator.teamsnap.__main__ import main

main()
