"""Ours beside the libraries in common use: `make bench`."""
