"""``driftline card``: a group of commands."""

from __future__ import annotations

import click

from driftline.cli.application import Lazy

__all__ = ["COMMANDS", "command"]

COMMANDS = {
    "create": ("driftline.cli.card_create", "Write a card, from a registered model, a file, or both."),
    "list": ("driftline.cli.card_list", "List cards."),
    "show": ("driftline.cli.card_show", "Show a card, and beside the text the state of its monitors."),
    "edit": ("driftline.cli.card_edit", "Change a card, in your editor or field by field."),
    "submit": ("driftline.cli.card_submit", "Ask for the newest version to be reviewed."),
    "approve": ("driftline.cli.card_approve", "Approve the text that was reviewed; never one's own."),
    "reject": ("driftline.cli.card_reject", "Give a card back to those who write it."),
    "archive": ("driftline.cli.card_archive", "Close a card for good."),
    "clone": ("driftline.cli.card_clone", "Begin a card with what another one says."),
    "delete": ("driftline.cli.card_delete", "Remove all that a card says; its chain of hashes stays."),
    "versions": ("driftline.cli.card_versions", "List the versions of a card."),
    "diff": ("driftline.cli.card_diff", "Show what changed between two versions."),
    "export": ("driftline.cli.card_export", "Write a card to a file: PDF, HTML, and what other tools read."),
    "apply": ("driftline.cli.card_apply", "Make cards as files in git say; shows a plan first."),
    "add-evaluation": ("driftline.cli.card_add_evaluation", "Add evaluation reports to a card."),
    "evidence": (
        "driftline.cli.card_evidence",
        "List the monitors' reports and baselines that stand beside the text.",
    ),
    "policy": ("driftline.cli.card_policy", "Say what becomes of the reports of the model's monitors."),
    "rules": ("driftline.cli.card_rules", "Say who may approve cards in this workspace."),
    "check": ("driftline.cli.card_check", "List what a regulation asks for, and what of it is missing."),
    "plan": ("driftline.cli.card_plan", "Show the post-market monitoring plan; store it in the card."),
    "verify": (
        "driftline.cli.card_verify",
        "Verify the chain of hashes, of a card, of all, or of an exported one.",
    ),
    "schema": ("driftline.cli.card_schema", "Print the JSON schema of a card's content."),
}


@click.command(name="card", cls=Lazy, commands_at=COMMANDS)
def command() -> None:
    """Write, review, approve, export and verify model cards.

    \b
      driftline card create churn-card --model churn
      driftline card edit churn-card
      driftline card submit churn-card
      driftline card approve churn-card
      driftline card export churn-card -o churn-card.pdf
    """
