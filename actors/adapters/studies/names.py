"""Names of the samplers, for whoever only wants to offer them."""

SAMPLERS = ("tpe", "random", "qmc", "cmaes", "nsga2", "gp", "grid")
