"""Version of the library, here so that every module can import it."""

__version__ = "0.1.0"
