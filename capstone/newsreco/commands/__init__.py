"""The command line's parts: each module adds its own commands by `add(commands)`."""
