"""Reports: what an evaluation found, for people to read."""
