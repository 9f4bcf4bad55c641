"""thalweg.optim."""
