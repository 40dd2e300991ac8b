"""The closed loop in virtual time: a recording's external use, a machine that obeys, and policies to compare."""
