"""The door by which code of another day is called: `python -m flows.recompute FOLDER`."""

import sys

from flows.run.recompute import main

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
