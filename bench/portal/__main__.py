"""`python -m bench.portal load|scale`."""

import argparse
import sys

from bench.portal import load, scale

PARTS = {"load": load.main, "scale": scale.main}


def main() -> int:
    """Run one part; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.portal", description=__doc__)
    parser.add_argument("part", choices=PARTS)
    return PARTS[parser.parse_args().part]()


if __name__ == "__main__":
    sys.exit(main())
