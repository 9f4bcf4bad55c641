"""The report of a race: one HTML file that needs nothing but itself.

>>> from thalweg.report import render
>>> "No run has finished yet." in render([], {"task": "toy"}, None)
True
"""

from thalweg.report.page import render
from thalweg.report.write import write

__all__ = ["render", "write"]
