"""What is going on, live or played back, in a terminal."""
