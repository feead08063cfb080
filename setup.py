"""Build script: maps the top-level folders into the ``driftline`` package."""

from setuptools import find_packages, setup

MAPPED = ("monitor", "baselines", "kernels", "capture", "reports", "registry", "cards")
OWN = find_packages(
    include=["driftline", "driftline.*"],
    exclude=[pattern for m in MAPPED for pattern in (f"driftline.{m}", f"driftline.{m}.*")],
)
PACKAGES = OWN + [
    f"driftline.{package}" for m in MAPPED for package in (m, *(f"{m}.{sub}" for sub in find_packages(m)))
]

setup(
    packages=PACKAGES,
    package_dir={"driftline": "driftline", **{f"driftline.{m}": m for m in MAPPED}},
)
