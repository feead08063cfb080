"""Sources: what is known of a model elsewhere, as the facts that a card can be filled with."""
