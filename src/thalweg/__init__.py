"""Find the training recipe for a PyTorch model, and prove it."""

__version__ = "0.1.0"
