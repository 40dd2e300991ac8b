"""A program next door: takes memory and touches it. Ends when its standard input closes, so it outlives nobody."""

import sys
import threading
import time

STEP = 1 << 20


def main() -> None:
    mib, rate = int(sys.argv[1]), float(sys.argv[2])
    held: list[bytearray] = []
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    start = time.monotonic()
    taken = 0
    while taken < mib and not done.is_set():
        due = mib if rate == 0 else min(mib, int((time.monotonic() - start) * rate))
        held.append(bytearray(b"x") * (STEP * (due - taken)))
        taken = due
        done.wait(0.02)
    done.wait()


if __name__ == "__main__":
    main()
