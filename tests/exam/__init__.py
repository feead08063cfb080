"""The examination of the capture store: rigs that injure it, and the judge who looks at what is left.

Run as ``PYTHONPATH=tests python -m exam``; see :mod:`exam.rigs` for what there is.
"""
