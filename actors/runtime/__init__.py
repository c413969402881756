"""The two hosts; the only place that imports Ray."""

from actors.runtime.lean import lean_serializer

lean_serializer()
