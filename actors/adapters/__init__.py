"""Input and output behind ports: exchanges, feeds, journal, storage."""
