"""thalweg.engine."""
