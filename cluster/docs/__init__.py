"""Pictures that are drawn from the system itself."""
