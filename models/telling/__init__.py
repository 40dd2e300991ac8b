"""What the end user is told."""
