"""Run the made-up TeamSnap, and say how to start a portal that uses it."""

import argparse
import sys

from simulator.teamsnap.service import CLIENT, SECRET, run_fake


def main() -> None:
    """Serve on the given port until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m simulator.teamsnap", description=__doc__)
    parser.add_argument("--port", type=int, default=8090, help="port on 127.0.0.1 (%(default)s)")
    port = parser.parse_args().port
    url = f"http://127.0.0.1:{port}"
    sys.stdout.write(
        f"export TOUCHLINE_TEAMSNAP_ID={CLIENT} TOUCHLINE_TEAMSNAP_SECRET={SECRET}\n"
        f"export TOUCHLINE_TEAMSNAP_AUTH_URL={url} TOUCHLINE_TEAMSNAP_API_URL={url}/v3/\n"
    )
    sys.stdout.flush()
    run_fake(port)


if __name__ == "__main__":
    main()
