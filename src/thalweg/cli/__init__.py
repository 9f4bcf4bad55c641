"""thalweg.cli."""
