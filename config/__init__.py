"""Configuration: one resolved, hashed, validated description of a run; imports nothing of ours.

Why resolve once: the environment and files are read at start only, the result is handed down as a value, so
every process of a fleet decides from the same settings and the journal can name them by their hash.
"""
