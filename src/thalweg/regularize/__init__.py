"""thalweg.regularize."""
