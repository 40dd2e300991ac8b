"""What a rung takes in memory: reckoned from its files, measured at its loads, remembered."""
