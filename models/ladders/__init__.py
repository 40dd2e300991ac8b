"""Which rungs there are: a file, a list, or what lies in the local cache."""
