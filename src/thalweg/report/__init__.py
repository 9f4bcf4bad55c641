"""thalweg.report."""
