"""Words of the crypto lexicon, written for this project; `actors.domain.sentiment.lexicon` puts them together."""
