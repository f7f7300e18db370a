"""`python -m workers.dev.start`: a child of the loop, tied to its life before anything else is imported.

Arguments: the socket to the loop, the pipe that closes with it, and its process id.
"""

import sys

from workers.dev.lifeline import end_with_parent

if __name__ == "__main__":
    end, pipe, parent = map(int, sys.argv[1:])
    end_with_parent(parent, pipe)
    from workers.dev.child import main

    main(end)
