"""thalweg.transforms."""
