"""thalweg.race."""
