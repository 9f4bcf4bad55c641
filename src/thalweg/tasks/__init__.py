"""What to train: a task of the user's, or one of the built-in tasks with their real data."""

from thalweg.tasks.check import TaskFacts, check, device
from thalweg.tasks.load import load, names, template
from thalweg.tasks.task import Task

__all__ = ["Task", "TaskFacts", "check", "device", "load", "names", "template"]
