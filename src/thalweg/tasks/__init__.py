"""thalweg.tasks."""
