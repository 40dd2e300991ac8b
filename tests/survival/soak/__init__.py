"""A long time: samples by the million, shifts by the thousand, and a soak on this machine. Nothing may grow."""
