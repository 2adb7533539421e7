"""Which faces `fer-edge run` finds, reads and follows: tilted, in the dark, far away, turning, still."""
