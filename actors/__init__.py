"""Tradewind: agents that trade. `domain` decides, `runtime` hosts, `adapters` touch the world."""
