"""Views of cards to be drawn, made by hand: a small one, one with everything, and hostile ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from driftline.cards.view import CardView, MonitorState
from driftline.registry.card_chain import GENESIS, record_hash
from driftline.registry.card_types import Card, CardVersion, Evidence, Record
from driftline.registry.jcs import content_hash

CONTENT = Path(__file__).parent / "data" / "cards" / "content"

PAGES = Path(__file__).parent / "data" / "card-pages"

START = 1_795_417_200_000_000
HOUR = 3_600_000_000


def content_file(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((CONTENT / f"{name}.content.json").read_text(encoding="utf-8"))
    return content


def chain(card: str, name: str, steps: list[dict[str, Any]]) -> tuple[Record, ...]:
    """Make a chain of records whose hashes are right."""
    records: list[Record] = []
    previous = GENESIS
    for seq, step in enumerate(steps, 1):
        given: dict[str, Any] = {
            "seq": seq,
            "kind": "revised",
            "previous_status": None,
            "who": "ann",
            "moment": START + seq * HOUR,
            "reason": "",
            "detail": {},
            **step,
        }
        digest = record_hash(card, name, previous=previous, **given)
        records.append(Record(previous=previous, hash=digest, **given))
        previous = digest
    return tuple(records)


def view_of(
    content: dict[str, Any],
    extensions: dict[str, Any] | None = None,
    *,
    name: str = "churn-card",
    status: str = "Draft",
    newest: tuple[int, int | None] | None = None,
    tags: dict[str, str] | None = None,
    provenance: dict[str, Any] | None = None,
    more: int = 0,
    warnings: tuple[str, ...] = (),
    monitors: tuple[MonitorState, ...] = (),
    evidence: tuple[Evidence, ...] = (),
    author: str = "ann",
    reason: str = "Figures of November",
) -> CardView:
    """Make a view of one version.

    Parameters
    ----------
    status : str
        Of the version.
    newest : (int, int or None), optional
        The card's newest version and its newest approved one, where they are not this one.
    more : int
        So many versions came before.
    """
    extensions = extensions or {}
    digest = content_hash(content, extensions)
    identity = "01JD00000000000000000CARD1"
    steps: list[dict[str, Any]] = []
    for n in range(1, more + 1):
        made = content_hash({"model_overview": {"model_version": n}}, {})
        here = {"version": n, "content_hash": made}
        kind = "created" if n == 1 else "revised"
        before = steps[-1]["status"] if steps else None
        why = "First text" if n == 1 else f"Measurements of week {n}"
        steps.append({**here, "kind": kind, "status": "Draft", "previous_status": before, "reason": why})
        if n % 3 == 0:
            steps.append(
                {
                    **here,
                    "kind": "status",
                    "status": "PendingReview",
                    "previous_status": "Draft",
                    "reason": "Ready",
                }
            )
            steps.append(
                {
                    **here,
                    "kind": "status",
                    "status": "Approved",
                    "previous_status": "PendingReview",
                    "who": "bea.reviewer",
                    "reason": "Checked against the validation report",
                }
            )
    version = more + 1
    here = {"version": version, "content_hash": digest}
    before = steps[-1]["status"] if steps else None
    kind = "revised" if steps else "created"
    steps.append(
        {**here, "kind": kind, "status": "Draft", "previous_status": before, "who": author, "reason": reason}
    )
    written = len(steps)
    way = {
        "Draft": [],
        "PendingReview": ["PendingReview"],
        "Approved": ["PendingReview", "Approved"],
        "Archived": ["Archived"],
    }
    for to in way[status]:
        who = "bea.reviewer" if to == "Approved" else author
        why = {"Approved": "Figures and limits checked", "PendingReview": "Ready for review"}.get(
            to, "Model retired"
        )
        steps.append(
            {
                **here,
                "kind": "status",
                "status": to,
                "previous_status": steps[-1]["status"],
                "who": who,
                "reason": why,
            }
        )
    records = chain(identity, name, steps)
    last = records[-1]
    approved = last.moment if status == "Approved" else None
    current, current_approved = newest or (version, version if approved else None)
    overview, uses = (
        part if isinstance(part, dict) else {}
        for part in (content.get("model_overview"), content.get("intended_uses"))
    )
    card = Card(
        id=identity,
        name=name,
        arn=f"arn:driftline:sagemaker:workspace:000000000000:model-card/{name}",
        status=status,
        version=current,
        approved_version=current_approved,
        content_hash=digest,
        model_id=overview.get("model_id"),
        model="churn",
        risk_rating=uses.get("risk_rating"),
        owner=overview.get("model_owner"),
        package_group=None,
        tags=tags or {},
        policy={"evaluations": "evidence"},
        cloned_from=None,
        records=len(records),
        head=last.hash,
        created=records[0].moment,
        created_by="ann",
        modified=last.moment,
        modified_by=last.who,
    )
    shown = CardVersion(
        name=name,
        version=version,
        content=content,
        extensions=extensions,
        provenance=provenance or {},
        content_hash=digest,
        status=status,
        author=author,
        reason=reason,
        created=records[written - 1].moment,
        status_moment=last.moment,
        status_by=last.who,
        approved=approved,
        approved_by="bea.reviewer" if approved else None,
    )
    return CardView(card, shown, records, last, warnings, monitors, evidence)


def small(**given: Any) -> CardView:
    """The card of SageMaker's announcement."""
    return view_of(content_file("seed_sample_card"), **given)


def rich(**given: Any) -> CardView:
    """A card with every section, all shapes of metrics, forty groups and sixty records."""
    return view_of(
        rich_content(),
        rich_extensions(),
        **{
            "status": "Approved",
            "more": 34,
            "tags": {"team": "retention", "confidential": ""},
            "provenance": _PROVENANCE,
            **given,
        },
    )


def with_live(view: CardView) -> CardView:
    """The same view with what its monitors say now."""
    monitors = tuple(
        MonitorState(
            f"churn-{kind}",
            kind,
            "churn-endpoint",
            "Scheduled",
            status,
            (START, START + HOUR),
            START + HOUR,
            alerts,
            text,
            START + 2 * HOUR,
        )
        for kind, status, alerts, text in (
            (
                "data-quality",
                "CompletedWithViolations",
                1,
                "2 of 14 columns drifted: tenure_months and region.",
            ),
            ("model-quality", "Completed", 0, "Nothing is violated; recall is 0.71."),
        )
    )
    evidence = tuple(
        Evidence(
            f"executions/{n}",
            f"churn-{kind}",
            kind,
            status,
            (START, START + HOUR),
            f"reports/{n}",
            "0" * 64,
            text,
            START + HOUR,
        )
        for n, (kind, status, text) in enumerate(
            (
                ("data-quality", "violated", "2 of 14 columns drifted: tenure_months and region."),
                ("model-quality", "passed", "Nothing is violated; recall is 0.71."),
            )
        )
    )
    return replace(view, monitors=monitors, evidence=evidence)


_PROVENANCE = {
    "model_overview.model_artifact": {
        "source": "registry model churn, version 7",
        "moment": "2026-11-20T08:00:00Z",
    },
    "training_details.training_job_details": {
        "source": "training job churn-2026-11-19",
        "moment": "2026-11-20T08:00:00Z",
    },
}


def rich_content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((PAGES / "rich.content.json").read_text(encoding="utf-8"))
    return content


def rich_extensions() -> dict[str, Any]:
    extensions: dict[str, Any] = json.loads((PAGES / "rich.extensions.json").read_text(encoding="utf-8"))
    return extensions


HOSTILE = (
    "<script>alert(1)</script>",
    '#strong[x] #eval("1") $x^2$ @ref <label> // c /* d */ \\u{41} `raw` *b* _e_',
    "a\nb\n\n- c\n# d\n1. e\n> f\n| g | h |\n```\ni\n```\n---\n<!-- j -->",
    "![x](javascript:alert(1)) [y](http://evil.example) https://evil.example www.evil.example &amp; &lt; &#60;",
    "\u202eright to left override\u202c \u2066isolate\u2069 \x00\x07\x1b[31m \x7f \ufeff \u2028 \u200b",
    "W" * 1000,
    "نموذج التنبؤ بتسرب العملاء (churn) الإصدار 7، بنسبة 42%",
    "מודל לחיזוי נטישת לקוחות (churn) גרסה 7",
    "客户流失预测模型。根据合同数据估计六十天内解约的可能性。顧客離反予測モデルです。고객 이탈 예측 모델입니다.",
    "emoji \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 flag \U0001f1e9\U0001f1ea,"
    " Tamil தமிழ், Amharic አማርኛ, private \ue000, unassigned \u0378",
    "हिन्दी में विवरण, ภาษาไทย, e\u0301 combining, Tiếng Việt, Ελληνικά, Кириллица, ½ ± ≤ ≥ → ∑ ∞ ✓ ★",
    "tab\there  two spaces   three, nbsp\u00a0here, soft\u00adhyphen",
    "' \" ; -- {{ }} {% %} ${x} %s \\n \\",
    "",
)
"""Texts that break naive renderers."""


def hostile(text: str, *, name: str = "churn-card") -> CardView:
    """A card that says one text in every field."""
    label = text[:63] or "-"
    content = {
        "model_overview": {
            **dict.fromkeys(
                (
                    "model_id",
                    "model_name",
                    "model_description",
                    "problem_type",
                    "algorithm_type",
                    "model_creator",
                    "model_owner",
                ),
                text,
            ),
            "model_artifact": [text, text],
            "inference_environment": {"container_image": [text]},
        },
        "intended_uses": {
            **dict.fromkeys(
                (
                    "purpose_of_model",
                    "intended_uses",
                    "factors_affecting_model_efficiency",
                    "explanations_for_risk_rating",
                ),
                text,
            ),
            "risk_rating": "High",
        },
        "business_details": dict.fromkeys(
            ("business_problem", "business_stakeholders", "line_of_business"), text
        ),
        "training_details": {
            "objective_function": {
                "function": {"function": "Minimize", "facet": text, "condition": text},
                "notes": text,
            },
            "training_observations": text,
            "training_job_details": {
                "training_arn": text,
                "training_datasets": [text],
                "training_metrics": [{"name": text, "value": 0.5, "notes": text}],
                "hyper_parameters": [{"name": text, "value": text}],
                "user_provided_hyper_parameters": [{"name": text}],
            },
        },
        "evaluation_details": [
            {
                "name": text,
                "evaluation_observation": text,
                "datasets": [text],
                "metadata": {text: text},
                "metric_groups": [
                    {
                        "name": text,
                        "metric_data": [
                            {"name": text, "type": "string", "value": text, "notes": text},
                            {
                                "name": text,
                                "type": "linear_graph",
                                "value": [[0, 1], [1, 2]],
                                "x_axis_name": label,
                                "y_axis_name": label,
                                "notes": text,
                            },
                            {
                                "name": text,
                                "type": "bar_chart",
                                "value": [1, -2],
                                "x_axis_name": [label, label],
                                "y_axis_name": label,
                            },
                            {
                                "name": text,
                                "type": "matrix",
                                "value": [[1, 2], [3, 4]],
                                "x_axis_name": [label, label],
                                "y_axis_name": [label, label],
                            },
                        ],
                    },
                    {"name": text, "metric_data": [{"name": text, "type": "number", "value": 1e-12}]},
                    {"name": text, "metric_data": []},
                ],
            }
        ],
        "additional_information": {"ethical_considerations": text, "custom_details": {text: text}},
        "model_package_details": {
            "model_package_description": text,
            "source_algorithms": [{"algorithm_name": text}],
        },
    }
    extensions = {
        "scope": {"out_of_scope_uses": [text]},
        "io": {"input_schema": {text: [text]}},
        "risks": [{"risk": text, "mitigation": text, "owner": text}],
        "contacts": [{"name": text, "role": text}],
    }
    holdable = "\x00" not in text
    return view_of(
        content,
        extensions if holdable else {},
        name=name,
        tags={text: text} if text else {},
        warnings=(text,) if text else (),
        author=text.replace("\x00", "") or "ann",
        reason=text.replace("\x00", ""),
    )
