"""The long examination of the loop: schedulers die and are paused, databases go away, receivers fail.

``PYTHONPATH=tests python -m loop`` runs it and prints the table.
"""
