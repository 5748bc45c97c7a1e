"""The tested library behind the notebooks of the facial emotion recognition study.

A datum's way: source → table → splits → model → fit → predictions → metrics → report.
"""

__version__ = "0.1.0"
