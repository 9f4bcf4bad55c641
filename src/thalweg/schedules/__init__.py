"""thalweg.schedules."""
