"""Pure decisions: no clock, no network, no files, no Ray."""
