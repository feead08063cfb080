"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from driftline.registry import tables as t

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_REFUSED = "the audit log is never changed"
_CLOSED = "what a model card says, and its chain of records, are never changed"
_SAYS = (
    "card",
    "version",
    "content",
    "extensions",
    "provenance",
    "content_hash",
    "author",
    "created",
    "reason",
)
_IS = ("id", "name", "arn", "created", "created_by")


def _close_cards_of_sqlite() -> None:
    """Close the chains, and what versions say: versions go with their card, and nothing else does."""
    triggers = {
        # REPLACE deletes without asking triggers of deletion: it is refused before.
        "card_records_no_replace": "BEFORE INSERT ON card_records WHEN EXISTS "
        "(SELECT 1 FROM card_records WHERE card = NEW.card AND seq = NEW.seq)",
        "card_records_no_update": "BEFORE UPDATE ON card_records",
        "card_records_no_delete": "BEFORE DELETE ON card_records",
        "card_versions_no_replace": "BEFORE INSERT ON card_versions WHEN EXISTS "
        "(SELECT 1 FROM card_versions WHERE card = NEW.card AND version = NEW.version)",
        "card_versions_no_update": f"BEFORE UPDATE OF {', '.join(_SAYS)} ON card_versions",
        "card_versions_no_delete": "BEFORE DELETE ON card_versions WHEN NOT EXISTS "
        "(SELECT 1 FROM cards WHERE id = OLD.card AND deleted IS NOT NULL)",
        "cards_no_replace": "BEFORE INSERT ON cards WHEN EXISTS (SELECT 1 FROM cards WHERE id = NEW.id)",
        "cards_no_update": f"BEFORE UPDATE OF {', '.join(_IS)} ON cards",
        "cards_no_return": "BEFORE UPDATE OF deleted ON cards WHEN OLD.deleted IS NOT NULL",
        "cards_no_delete": "BEFORE DELETE ON cards",
    }
    for name, when in triggers.items():
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{_CLOSED}'); END")


def _close_cards_of_postgresql() -> None:
    """Close the chains, and what versions say: versions go with their card, and nothing else does."""

    def differ(columns: tuple[str, ...]) -> str:
        both = (", ".join(f"{side}.{column}" for column in columns) for side in ("NEW", "OLD"))
        return " IS DISTINCT FROM ".join(f"({one})" for one in both)

    op.execute(
        "CREATE FUNCTION driftline_cards_closed() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_CLOSED}'; END $$"
    )
    op.execute(
        "CREATE FUNCTION driftline_card_left() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF EXISTS (SELECT 1 FROM cards WHERE id = OLD.card AND deleted IS NOT NULL) THEN RETURN OLD; END IF; "
        "RAISE EXCEPTION 'versions of a model card go with the card only'; END $$"
    )
    closed = "EXECUTE FUNCTION driftline_cards_closed()"
    op.execute(
        "CREATE TRIGGER card_records_closed BEFORE UPDATE OR DELETE OR TRUNCATE ON card_records "
        f"FOR EACH STATEMENT {closed}"
    )
    for table in ("card_versions", "cards"):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {closed}"
        )
    op.execute(
        "CREATE TRIGGER card_versions_no_update BEFORE UPDATE ON card_versions "
        f"FOR EACH ROW WHEN ({differ(_SAYS)}) {closed}"
    )
    op.execute(
        "CREATE TRIGGER card_versions_no_delete BEFORE DELETE ON card_versions "
        "FOR EACH ROW EXECUTE FUNCTION driftline_card_left()"
    )
    op.execute(
        "CREATE TRIGGER cards_no_update BEFORE UPDATE ON cards FOR EACH ROW WHEN "
        f"({differ(_IS)} OR OLD.deleted IS NOT NULL AND NEW.deleted IS DISTINCT FROM OLD.deleted) {closed}"
    )
    op.execute(f"CREATE TRIGGER cards_no_delete BEFORE DELETE ON cards FOR EACH STATEMENT {closed}")


def upgrade() -> None:
    """Make the tables, and close the audit log and the cards' chains to changes."""
    op.create_table(
        "alert_history",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("schedule", t.Words(), nullable=False),
        sa.Column("rule", t.Words(), nullable=False),
        sa.Column("moment", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status", t.Words(), nullable=False),
        sa.Column("reason", t.Words(), nullable=False),
        sa.Column("execution", t.Words(), nullable=True),
        sa.Column("detail", t.Json(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_alert_history")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_alert_history_schedule_rule_moment"),
        "alert_history",
        ["schedule", "rule", "moment"],
        unique=False,
    )
    op.create_table(
        "alerts",
        sa.Column("id", t.Words(), nullable=False),
        sa.Column("kind", t.Words(), nullable=False),
        sa.Column("schedule", t.Words(), nullable=False),
        sa.Column("rule", t.Words(), nullable=True),
        sa.Column("endpoint", t.Words(), nullable=True),
        sa.Column("model", t.Words(), nullable=True),
        sa.Column("model_version", t.Words(), nullable=True),
        sa.Column("state", t.Words(), nullable=False),
        sa.Column("severity", t.Words(), nullable=False),
        sa.Column("title", t.Words(), nullable=False),
        sa.Column("causes", t.Json(), nullable=False),
        sa.Column("opened", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resolved", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("snoozed_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("acknowledged_by", t.Words(), nullable=True),
        sa.Column("first_execution", t.Words(), nullable=True),
        sa.Column("last_execution", t.Words(), nullable=True),
        sa.Column("n_windows", sa.Integer(), nullable=False),
        sa.Column("clean_runs", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_alerts_model_opened"), "alerts", ["model", "opened"], unique=False)
    op.create_index(op.f("ix_alerts_schedule_opened"), "alerts", ["schedule", "opened"], unique=False)
    op.create_index(op.f("ix_alerts_state_opened"), "alerts", ["state", "opened"], unique=False)
    op.create_table(
        "audit",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("moment", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("who", t.Words(), nullable=False),
        sa.Column("action", t.Words(), nullable=False),
        sa.Column("subject", t.Words(), nullable=False),
        sa.Column("reason", t.Words(), nullable=False),
        sa.Column("body", t.Words(), nullable=True),
        sa.Column("previous", t.Words(), nullable=False),
        sa.Column("hash", t.Words(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_audit_subject_seq"), "audit", ["subject", "seq"], unique=False)
    op.create_table(
        "audit_bodies",
        sa.Column("digest", t.Words(), nullable=False),
        sa.Column("body", t.Words(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_audit_bodies")),
        sqlite_strict=True,
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", t.Words(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
        sqlite_strict=True,
    )
    op.create_table(
        "baselines",
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", t.Words(), nullable=False),
        sa.Column("state", t.Words(), nullable=False),
        sa.Column("model", t.Words(), nullable=True),
        sa.Column("path", t.Words(), nullable=False),
        sa.Column("digest", t.Words(), nullable=False),
        sa.Column("spec", t.Json(), nullable=False),
        sa.Column("diff", t.Json(), nullable=True),
        sa.Column("proposed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("proposed_by", t.Words(), nullable=False),
        sa.Column("decided", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_by", t.Words(), nullable=True),
        sa.Column("reason", t.Words(), nullable=True),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_baselines")),
        sqlite_strict=True,
    )
    op.create_table(
        "cards",
        sa.Column("id", t.Words(), nullable=False),
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("arn", t.Words(), nullable=False),
        sa.Column("status", t.Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("approved_version", sa.Integer(), nullable=True),
        sa.Column("content_hash", t.Words(), nullable=False),
        sa.Column("model_id", t.Words(), nullable=True),
        sa.Column("model_key", t.Words(), nullable=True),
        sa.Column("model", t.Words(), nullable=True),
        sa.Column("risk_rating", t.Words(), nullable=True),
        sa.Column("owner", t.Words(), nullable=True),
        sa.Column("package_group", t.Words(), nullable=True),
        sa.Column("tags", t.Json(), nullable=False),
        sa.Column("policy", t.Json(), nullable=False),
        sa.Column("cloned_from", t.Json(), nullable=True),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("head", t.Words(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_by", t.Words(), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified_by", t.Words(), nullable=False),
        sa.Column("deleted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_cards_created"), "cards", ["created"], unique=False)
    op.create_index(op.f("ix_cards_model"), "cards", ["model"], unique=False)
    op.create_index(op.f("ix_cards_modified"), "cards", ["modified"], unique=False)
    op.create_index(
        op.f("ix_cards_package_group_modified"), "cards", ["package_group", "modified"], unique=False
    )
    op.create_index(op.f("ix_cards_status_modified"), "cards", ["status", "modified"], unique=False)
    op.create_index(
        "uq_cards_model_key",
        "cards",
        ["model_key"],
        unique=True,
        sqlite_where=sa.text("deleted IS NULL"),
        postgresql_where=sa.text("deleted IS NULL"),
    )
    op.create_index(
        "uq_cards_name",
        "cards",
        ["name"],
        unique=True,
        sqlite_where=sa.text("deleted IS NULL"),
        postgresql_where=sa.text("deleted IS NULL"),
    )
    op.create_table(
        "endpoints",
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("kind", t.Words(), nullable=False),
        sa.Column("status", t.Words(), nullable=False),
        sa.Column("captures", t.Words(), nullable=True),
        sa.Column("description", t.Words(), nullable=True),
        sa.Column("tags", t.Json(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("archived", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_endpoints")),
        sqlite_strict=True,
    )
    op.create_table(
        "events",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", t.Words(), nullable=False),
        sa.Column("type", t.Words(), nullable=False),
        sa.Column("subject", t.Words(), nullable=False),
        sa.Column("moment", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("data", t.Json(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_events_moment"), "events", ["moment"], unique=False)
    op.create_index(op.f("ix_events_subject_seq"), "events", ["subject", "seq"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("owner", t.Words(), nullable=False),
        sa.Column("token", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("epoch", t.Words(), nullable=False),
        sa.Column("until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
        sqlite_strict=True,
    )
    op.create_table(
        "models",
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("owner", t.Words(), nullable=True),
        sa.Column("description", t.Words(), nullable=True),
        sa.Column("risk_rating", t.Words(), nullable=True),
        sa.Column("tags", t.Json(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("archived", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_models")),
        sqlite_strict=True,
    )
    op.create_table(
        "nodes",
        sa.Column("id", t.Words(), nullable=False),
        sa.Column("kind", t.Words(), nullable=False),
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("uri", t.Words(), nullable=True),
        sa.Column("digest", t.Words(), nullable=True),
        sa.Column("properties", t.Json(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nodes")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_nodes_digest"), "nodes", ["digest"], unique=False)
    op.create_index(op.f("ix_nodes_kind_name"), "nodes", ["kind", "name"], unique=False)
    op.create_index(op.f("ix_nodes_uri"), "nodes", ["uri"], unique=False)
    op.create_table(
        "schedulers",
        sa.Column("id", t.Words(), nullable=False),
        sa.Column("host", t.Words(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stopped", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedulers")),
        sqlite_strict=True,
    )
    op.create_table(
        "settings",
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("value", t.Json(), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
        sqlite_strict=True,
    )
    op.create_table(
        "targets",
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("kind", t.Words(), nullable=False),
        sa.Column("config", t.Json(), nullable=False),
        sa.Column("enabled", t.Flag(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("archived", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_targets")),
        sqlite_strict=True,
    )
    op.create_table(
        "users",
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("full_name", t.Words(), nullable=True),
        sa.Column("email", t.Words(), nullable=True),
        sa.Column("roles", t.Json(), nullable=False),
        sa.Column("password", t.Words(), nullable=True),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("disabled", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
        sqlite_strict=True,
    )
    op.create_table(
        "alert_log",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("alert", t.Words(), nullable=False),
        sa.Column("moment", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("who", t.Words(), nullable=False),
        sa.Column("what", t.Words(), nullable=False),
        sa.Column("reason", t.Words(), nullable=True),
        sa.Column("execution", t.Words(), nullable=True),
        sa.Column("detail", t.Json(), nullable=False),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_alert_log_alert")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_alert_log")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_alert_log_alert_seq"), "alert_log", ["alert", "seq"], unique=False)
    op.create_table(
        "card_evidence",
        sa.Column("card", t.Words(), nullable=False),
        sa.Column("source", t.Words(), nullable=False),
        sa.Column("schedule", t.Words(), nullable=True),
        sa.Column("kind", t.Words(), nullable=False),
        sa.Column("status", t.Words(), nullable=False),
        sa.Column("window_start", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("window_end", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("path", t.Words(), nullable=False),
        sa.Column("digest", t.Words(), nullable=False),
        sa.Column("summary", t.Words(), nullable=False),
        sa.Column("record", sa.Integer(), nullable=False),
        sa.Column("moment", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["card"], ["cards.id"], name=op.f("fk_card_evidence_card")),
        sa.PrimaryKeyConstraint("card", "source", name=op.f("pk_card_evidence")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_card_evidence_card_moment"), "card_evidence", ["card", "moment"], unique=False)
    op.create_index(
        op.f("ix_card_evidence_card_schedule_window_end_moment"),
        "card_evidence",
        ["card", "schedule", "window_end", "moment"],
        unique=False,
    )
    op.create_table(
        "card_exports",
        sa.Column("card", t.Words(), nullable=False),
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("arn", t.Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("format", t.Words(), nullable=False),
        sa.Column("output", t.Words(), nullable=False),
        sa.Column("status", t.Words(), nullable=False),
        sa.Column("artifact", t.Words(), nullable=True),
        sa.Column("digest", t.Words(), nullable=True),
        sa.Column("failure_reason", t.Words(), nullable=True),
        sa.Column("who", t.Words(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["card"], ["cards.id"], name=op.f("fk_card_exports_card")),
        sa.PrimaryKeyConstraint("card", "name", name=op.f("pk_card_exports")),
        sa.UniqueConstraint("arn", name=op.f("uq_card_exports_arn")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_card_exports_card_created"), "card_exports", ["card", "created"], unique=False)
    op.create_table(
        "card_records",
        sa.Column("card", t.Words(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", t.Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", t.Words(), nullable=False),
        sa.Column("status", t.Words(), nullable=False),
        sa.Column("previous_status", t.Words(), nullable=True),
        sa.Column("who", t.Words(), nullable=False),
        sa.Column("moment", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", t.Words(), nullable=False),
        sa.Column("detail", t.Json(), nullable=False),
        sa.Column("previous", t.Words(), nullable=False),
        sa.Column("hash", t.Words(), nullable=False),
        sa.ForeignKeyConstraint(["card"], ["cards.id"], name=op.f("fk_card_records_card")),
        sa.PrimaryKeyConstraint("card", "seq", name=op.f("pk_card_records")),
        sqlite_strict=True,
    )
    op.create_table(
        "card_versions",
        sa.Column("card", t.Words(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", t.Words(), nullable=False),
        sa.Column("extensions", t.Json(), nullable=False),
        sa.Column("provenance", t.Json(), nullable=False),
        sa.Column("content_hash", t.Words(), nullable=False),
        sa.Column("status", t.Words(), nullable=False),
        sa.Column("author", t.Words(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", t.Words(), nullable=False),
        sa.Column("status_moment", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status_by", t.Words(), nullable=False),
        sa.Column("approved", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("approved_by", t.Words(), nullable=True),
        sa.ForeignKeyConstraint(["card"], ["cards.id"], name=op.f("fk_card_versions_card")),
        sa.PrimaryKeyConstraint("card", "version", name=op.f("pk_card_versions")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_card_versions_card_status"), "card_versions", ["card", "status"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("event", t.Words(), nullable=False),
        sa.Column("target", t.Words(), nullable=False),
        sa.Column("state", t.Words(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("next_try", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ended", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("error", t.Words(), nullable=True),
        sa.Column("owner", t.Words(), nullable=True),
        sa.Column("token", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lease_epoch", t.Words(), nullable=True),
        sa.Column("lease_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name=op.f("fk_deliveries_event")),
        sa.PrimaryKeyConstraint("event", "target", name=op.f("pk_deliveries")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_deliveries_state_next_try"), "deliveries", ["state", "next_try"], unique=False)
    op.create_index(op.f("ix_deliveries_target_state"), "deliveries", ["target", "state"], unique=False)
    op.create_table(
        "edges",
        sa.Column("source", t.Words(), nullable=False),
        sa.Column("target", t.Words(), nullable=False),
        sa.Column("relation", t.Words(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["source"], ["nodes.id"], name=op.f("fk_edges_source")),
        sa.ForeignKeyConstraint(["target"], ["nodes.id"], name=op.f("fk_edges_target")),
        sa.PrimaryKeyConstraint("source", "target", "relation", name=op.f("pk_edges")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_edges_target"), "edges", ["target"], unique=False)
    op.create_table(
        "model_versions",
        sa.Column("model", t.Words(), nullable=False),
        sa.Column("version", t.Words(), nullable=False),
        sa.Column("description", t.Words(), nullable=True),
        sa.Column("aliases", t.Json(), nullable=False),
        sa.Column("artifacts", t.Json(), nullable=False),
        sa.Column("training", t.Json(), nullable=False),
        sa.Column("origin", t.Json(), nullable=True),
        sa.Column("tags", t.Json(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["models.name"], name=op.f("fk_model_versions_model")),
        sa.PrimaryKeyConstraint("model", "version", name=op.f("pk_model_versions")),
        sqlite_strict=True,
    )
    op.create_table(
        "schedules",
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("endpoint", t.Words(), nullable=False),
        sa.Column("kind", t.Words(), nullable=False),
        sa.Column("status", t.Words(), nullable=False),
        sa.Column("failure_reason", t.Words(), nullable=True),
        sa.Column("baseline", t.Words(), nullable=True),
        sa.Column("config", t.Json(), nullable=False),
        sa.Column("config_digest", t.Words(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cursor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("next_due", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("watched", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("archived", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoints.name"], name=op.f("fk_schedules_endpoint")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedules")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_schedules_endpoint"), "schedules", ["endpoint"], unique=False)
    op.create_index(op.f("ix_schedules_next_due"), "schedules", ["next_due"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("id", t.Words(), nullable=False),
        sa.Column("user", t.Words(), nullable=False),
        sa.Column("label", t.Words(), nullable=True),
        sa.Column("secret", t.Words(), nullable=False),
        sa.Column("scopes", t.Json(), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("expires", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("revoked", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("used", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name=op.f("fk_tokens_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_tokens_user"), "tokens", ["user"], unique=False)
    op.create_table(
        "alert_rules",
        sa.Column("schedule", t.Words(), nullable=False),
        sa.Column("name", t.Words(), nullable=False),
        sa.Column("datapoints_to_alert", sa.Integer(), nullable=False),
        sa.Column("evaluation_period", sa.Integer(), nullable=False),
        sa.Column("count_failed_runs", t.Flag(), nullable=False),
        sa.Column("dashboard_indicator", t.Flag(), nullable=False),
        sa.Column("keep_firing", sa.Integer(), nullable=False),
        sa.Column("min_severity", t.Words(), nullable=False),
        sa.Column("status", t.Words(), nullable=False),
        sa.Column("failing", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("restarted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("archived", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["schedule"], ["schedules.name"], name=op.f("fk_alert_rules_schedule")),
        sa.PrimaryKeyConstraint("schedule", "name", name=op.f("pk_alert_rules")),
        sqlite_strict=True,
    )
    op.create_table(
        "deployments",
        sa.Column("id", t.Words(), nullable=False),
        sa.Column("endpoint", t.Words(), nullable=False),
        sa.Column("variant", t.Words(), nullable=False),
        sa.Column("model", t.Words(), nullable=False),
        sa.Column("version", t.Words(), nullable=False),
        sa.Column("weight", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("since", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoints.name"], name=op.f("fk_deployments_endpoint")),
        sa.ForeignKeyConstraint(
            ["model", "version"],
            ["model_versions.model", "model_versions.version"],
            name=op.f("fk_deployments_model_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_deployments_endpoint_variant_since"),
        "deployments",
        ["endpoint", "variant", "since"],
        unique=False,
    )
    op.create_index(op.f("ix_deployments_model_version"), "deployments", ["model", "version"], unique=False)
    op.create_table(
        "executions",
        sa.Column("id", t.Words(), nullable=False),
        sa.Column("schedule", t.Words(), nullable=False),
        sa.Column("window_start", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("window_end", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cause", t.Words(), nullable=False),
        sa.Column("supersedes", t.Words(), nullable=True),
        sa.Column("scheduled", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status", t.Words(), nullable=False),
        sa.Column("message", t.Words(), nullable=True),
        sa.Column("failure_reason", t.Words(), nullable=True),
        sa.Column("error_code", t.Words(), nullable=True),
        sa.Column("endpoint", t.Words(), nullable=False),
        sa.Column("kind", t.Words(), nullable=False),
        sa.Column("model", t.Words(), nullable=True),
        sa.Column("model_version", t.Words(), nullable=True),
        sa.Column("config", t.Json(), nullable=False),
        sa.Column("config_digest", t.Words(), nullable=False),
        sa.Column("baseline", t.Words(), nullable=True),
        sa.Column("baseline_version", sa.Integer(), nullable=True),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("modified", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("started", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ended", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("judged", t.Flag(), nullable=True),
        sa.Column("input_digest", t.Words(), nullable=True),
        sa.Column("report", t.Words(), nullable=True),
        sa.Column("report_digest", t.Words(), nullable=True),
        sa.Column("result", t.Json(), nullable=True),
        sa.Column("owner", t.Words(), nullable=True),
        sa.Column("token", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lease_epoch", t.Words(), nullable=True),
        sa.Column("lease_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["schedule"], ["schedules.name"], name=op.f("fk_executions_schedule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executions")),
        sa.UniqueConstraint(
            "schedule",
            "window_start",
            "window_end",
            "revision",
            name=op.f("uq_executions_schedule_window_start_window_end_revision"),
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_executions_endpoint_ended"), "executions", ["endpoint", "ended"], unique=False)
    op.create_index(op.f("ix_executions_model_ended"), "executions", ["model", "ended"], unique=False)
    op.create_index(
        op.f("ix_executions_schedule_endpoint_status"),
        "executions",
        ["schedule", "endpoint", "status"],
        unique=False,
    )
    op.create_index(
        op.f("ix_executions_schedule_scheduled"), "executions", ["schedule", "scheduled"], unique=False
    )
    op.create_index(
        op.f("ix_executions_schedule_window_end_window_start_revision"),
        "executions",
        ["schedule", "window_end", "window_start", "revision"],
        unique=False,
    )
    op.create_index(
        op.f("ix_executions_status_not_before"), "executions", ["status", "not_before"], unique=False
    )
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{action.lower()} BEFORE {action} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
            )
        _close_cards_of_sqlite()
    else:
        op.execute(
            "CREATE FUNCTION driftline_audit_closed() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_closed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION driftline_audit_closed()"
        )
        _close_cards_of_postgresql()


def downgrade() -> None:
    """Nothing came before."""
    raise NotImplementedError("there is no version before the first")
