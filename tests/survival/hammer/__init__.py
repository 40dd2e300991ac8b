"""Everything that an app can call, from many threads and coroutines at once: `python -m tests.survival.hammer`."""
