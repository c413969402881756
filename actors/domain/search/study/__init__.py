"""A study: trials asked and told by one law, so that its answer depends on seed, space, bars and nothing else.

The law: trial n is asked after exactly the trials 0 … n − `LOOK_AHEAD` have been told, in the order of their numbers,
whatever the number of workers; what prunes trial n are the trials told by then. `engine` keeps it, over any sampler,
store and pool; the samplers and the stores that know Optuna are in `actors.adapters.studies`.
"""
