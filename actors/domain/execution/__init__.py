"""Order states, planning and execution algorithms."""
