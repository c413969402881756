"""Studies behind Optuna, of which this package is the only importer: samplers, storage, importance."""
