"""Sentiment of headlines and posts: a lexicon and rules of our own, aggregation over time, five levels."""
