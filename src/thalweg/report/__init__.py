"""The report of a race: one HTML file that needs nothing but itself.

>>> from thalweg.report import render
>>> "No run has finished yet." in render([], {"task": "toy"}, None)
True
"""

from thalweg.report.files import write
from thalweg.report.page import render

__all__ = ["render", "write"]
