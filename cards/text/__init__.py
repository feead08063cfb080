"""A card as a file that people keep in git: TOML to edit, JSON for programs, Markdown to read.

Reading what was written gives the same document, whatever texts it holds.
"""

from driftline.cards.text.document import FORMATS, Base, CardDocument, format_of, read_card, write_card

__all__ = ["FORMATS", "Base", "CardDocument", "format_of", "read_card", "write_card"]
