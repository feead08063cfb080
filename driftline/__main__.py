"""``python -m driftline`` does what ``driftline`` does."""

from driftline.cli import main

if __name__ == "__main__":
    main()
