"""Columns named by position without zero padding, whose order SageMaker does not keep."""


def preprocess_handler(line):
    return {f"_c{i}": cell for i, cell in enumerate(line.split(","))}
