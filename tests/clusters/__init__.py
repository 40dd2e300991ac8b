"""Real Ray clusters of several nodes on this machine: nodes are killed, crowded, and lose their head."""
