"""Ours beside the libraries that people use: `make bench`."""
