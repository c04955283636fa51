"""The command `pantler`, and `python -m pantler`: the same program as without Python."""

import os
import signal
import sys

from pantler import _pantler


def main() -> int:
    """Run the program with the arguments of this process; return its exit status."""
    # The program works outside the interpreter, which would keep an interrupt to itself until the work is done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _pantler.run_program([os.path.basename(sys.argv[0]).replace("__main__.py", "pantler"), *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
