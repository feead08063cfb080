"""ModelError: the model could not be asked, or did not answer with numbers."""

from __future__ import annotations

from driftline.errors import DriftlineError, printable

__all__ = ["ModelError", "missing_extra", "reason_of"]


class ModelError(DriftlineError, RuntimeError):
    """The model that is to be explained failed."""

    default_code = "E-MODEL"


def missing_extra(package: str, extra: str, what: str) -> ModelError:
    """Return the error for a library that is not installed."""
    return ModelError(
        f"{what} needs the package {package}, which is not installed",
        code="E-EXTRA",
        fix=f"install it with `pip install 'driftline[{extra}]'`",
    )


def reason_of(error: BaseException) -> str:
    """Return type and message of what foreign code raised, on one line."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - foreign code may do anything in its __str__; its type is still worth telling
        text = "(its message cannot be shown)"
    return printable(f"{type(error).__name__}: {text}".removesuffix(": "), 500)
