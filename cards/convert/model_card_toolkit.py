"""Cards of TensorFlow's Model Card Toolkit: JSON of schema 0.0.2; 0.0.1 is read as well.

References
----------
.. [1] tensorflow/model-card-toolkit, ``schema/v0.0.2/model_card.schema.json``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.convert.converted import Converted, Written, decoded_object, finished
from driftline.cards.convert.draft import Draft
from driftline.cards.convert.performance import Names, read_performance, written_performance
from driftline.cards.convert.source import Source, number_of
from driftline.cards.errors import CardError
from driftline.cards.text.json_form import indented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.cards.convert.converted import Meta

__all__ = ["read", "write"]

SYSTEM: Final = "Model Card Toolkit"
VERSIONS: Final = ("0.0.1", "0.0.2")
SECTIONS: Final = ("model_details", "model_parameters", "quantitative_analysis", "considerations")
INTERVAL: Final = Names("confidence_interval", "lower_bound", "upper_bound")
IMAGE: Final = "a card has no images; metrics can be charts"

_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})|(\d{1,2})/(\d{1,2})/(\d{4})")


def read(data: bytes, file: str | None = None) -> Converted:
    """Make a card of a Model Card Toolkit card.

    Parameters
    ----------
    data : bytes
        JSON.
    file : str, optional
        Name used in errors.

    Returns
    -------
    Converted

    Raises
    ------
    DocumentError
        If it is not JSON.
    CardError
        ``E-CARD-DOCUMENT`` if it is another document, or of a schema that is not known.
    """
    value = decoded_object(data, file, "a card of Model Card Toolkit")
    version = value.get("schema_version")
    if version is not None and version not in VERSIONS:
        raise CardError(
            f"schema version {str(version)[:20]!r} is not one that driftline reads: {', '.join(VERSIONS)}",
            code="E-CARD-DOCUMENT",
            file=file,
            field="schema_version",
            fix="write the card again with Model Card Toolkit 1.0 or later",
        )
    if not any(key in value for key in SECTIONS):
        raise CardError(
            f"expected a card of Model Card Toolkit, with one of {', '.join(SECTIONS)}",
            code="E-CARD-DOCUMENT",
            file=file,
            fix="give the file that the toolkit wrote as JSON",
        )
    root = Source(value)
    root.raw("schema_version")
    draft = Draft()
    details = root.inside("model_details")
    name = details.text("name")
    draft.put("model_overview.model_name", name, details.join("name"))
    _details(details, draft)
    _parameters(root.inside("model_parameters"), draft)
    _analysis(root.inside("quantitative_analysis"), draft)
    _considerations(root.inside("considerations"), draft)
    return draft.finish(root.left(), name)


def _details(details: Source, draft: Draft) -> None:
    draft.tell("model_overview.model_description", details.text("overview"), details.join("overview"))
    documentation = details.text("documentation")
    draft.tell("extensions.instructions_for_use.description", documentation, details.join("documentation"))
    for owner in details.each("owners"):
        contact = {"name": owner.text("name"), "role": "owner", "contact": owner.text("contact")}
        if contact["name"] is None:
            owner.leave("contact", "a contact has a name")
            continue
        draft.add("extensions.contacts", contact, owner.path)
        if draft.get("model_overview.model_owner") is None:
            draft.put("model_overview.model_owner", contact["name"], owner.join("name"))
    _version(details.inside("version"), draft)
    licences = details.each("licenses") or details.each("license")
    for place, licence in enumerate(licences):
        text = licence.text("identifier") or licence.text("custom_text")
        if place == 0:
            draft.put("extensions.legal.licence", text, licence.path)
        else:
            licence.leave("identifier", "a card names one licence")
            licence.leave("custom_text", "a card names one licence")
    if not licences:
        draft.put("extensions.legal.licence", details.text("license"), details.join("license"))
    for where, uri, _ in details.told("references", "reference"):
        draft.add("extensions.references", {"title": uri[:1024], "uri": uri if _is_uri(uri) else None}, where)
    for key in ("citations", "citation"):
        for where, citation, inside in details.told(key, "citation"):
            title = (inside.text("style") if inside else None) or "Citation"
            draft.add("extensions.references", {"title": title, "citation": citation}, where)
    path = details.text("path")
    draft.put("model_overview.model_artifact", [path] if path else [], details.join("path"))


def _is_uri(text: str) -> bool:
    return len(text) <= 2048 and not any(ch.isspace() for ch in text) and ":" in text


def _version(version: Source, draft: Draft) -> None:
    name, day, diff = version.text("name"), version.raw("date"), version.text("diff")
    number = number_of((name or "").removeprefix("v"))
    if number is not None and number >= 1 and (name or "").removeprefix("v") == str(number):
        draft.put("model_overview.model_version", number, version.join("name"))
    moment = _day(day)
    if day is not None and moment is None:
        version.leave("date", "expected a date such as 2026-11-23")
    if name is None and moment is None and diff is None:
        return
    entry = {"date": moment, "version": name, "description": diff or f"Version {name or moment}"}
    draft.add("extensions.change_log", entry, version.path)


def _day(value: object) -> str | None:
    """Return a date as ISO 8601 has it; with slashes, four digits first mean the year, else the month stands first."""
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    year, month, day = (found[1], found[2], found[3]) if found[1] else (found[6], found[4], found[5])
    return f"{year}-{int(month):02}-{int(day):02}"


def _parameters(parameters: Source, draft: Draft) -> None:
    architecture = parameters.text("model_architecture")
    draft.tell("extensions.architecture.description", architecture, parameters.join("model_architecture"))
    data = parameters.raw("data")
    if isinstance(data, dict) and set(data) <= {"train", "eval"}:
        # Schema 0.0.1 has two sets, by their use.
        data = [{"name": key, **one} if isinstance(one, dict) else one for key, one in data.items()]
    if isinstance(data, list):
        for one in parameters.given("data", data):
            _dataset(one, draft)
    for way in ("input", "output"):
        text = parameters.text(f"{way}_format")
        draft.put(f"extensions.io.{way}_format", text, parameters.join(f"{way}_format"))
        pairs = {}
        for one in parameters.each(f"{way}_format_map"):
            key, value = one.text("key"), one.text("value")
            if key is not None:
                pairs[key] = value or ""
        draft.put(f"extensions.io.{way}_schema", pairs, parameters.join(f"{way}_format_map"))


def _dataset(one: Source, draft: Draft) -> None:
    sensitive = one.inside("sensitive")
    graphics = one.inside("graphics")
    graphics.leave("collection", IMAGE)
    made = {
        "name": one.text("name") or "data",
        "uri": one.text("link"),
        "description": one.text("description") or graphics.text("description"),
        "sensitive_fields": sensitive.texts("sensitive_data"),
    }
    if made != {"name": "data", "uri": None, "description": None, "sensitive_fields": []}:
        draft.add("extensions.data", made, one.path)


def _analysis(analysis: Source, draft: Draft) -> None:
    metrics = analysis.each("performance_metrics")
    thresholds = {metric.text("threshold") for metric in metrics} - {None}
    threshold = number_of(next(iter(thresholds))) if len(thresholds) == 1 else None
    if threshold is not None:
        draft.put(
            "extensions.io.decision_threshold", threshold, analysis.join("performance_metrics.*.threshold")
        )
    else:
        for metric in metrics:
            metric.leave("threshold", "a card has one threshold, a number")
    read_performance(draft, metrics, INTERVAL)
    graphics = analysis.inside("graphics")
    graphics.leave("collection", IMAGE)


def _considerations(considerations: Source, draft: Draft) -> None:
    for key, path in (
        ("users", "extensions.scope.primary_users"),
        ("limitations", "extensions.scope.limitations"),
    ):
        for where, text, _ in considerations.told(key, "description"):
            draft.tell(path, text, where)
    cases = [text for _, text, _ in considerations.told("use_cases", "description")]
    draft.tell("intended_uses.intended_uses", "\n".join(cases) or None, considerations.join("use_cases"))
    for where, text, _ in considerations.told("tradeoffs", "description"):
        draft.add("extensions.trade_offs", {"trade_off": text}, where)
    for one in considerations.each("ethical_considerations"):
        risk = {"risk": one.text("name"), "mitigation": one.text("mitigation_strategy")}
        if risk["risk"] is not None:
            draft.add("extensions.risks", risk, one.path)
        elif risk["mitigation"] is not None:
            one.leave("mitigation_strategy", "a risk has a name")


def write(content: Mapping[str, Any], extensions: Mapping[str, Any], meta: Meta) -> Written:
    """Write a card for Model Card Toolkit, by its schema 0.0.2.

    Parameters
    ----------
    content, extensions : mapping
        The card.
    meta : Meta
        The schema has no place for fields of others, so `keep` changes nothing.

    Returns
    -------
    Written
        JSON.
    """
    overview = content.get("model_overview") or {}
    artifacts = overview.get("model_artifact") or ()
    details = {
        "name": overview.get("model_name") or meta.name,
        "overview": overview.get("model_description"),
        "documentation": (extensions.get("instructions_for_use") or {}).get("description"),
        "owners": _owners(overview, extensions),
        "version": _written_version(overview, extensions),
        **_written_references(extensions),
        "path": artifacts[0] if artifacts else None,
    }
    licence = (extensions.get("legal") or {}).get("licence")
    if licence:
        is_spdx = re.fullmatch(r"[A-Za-z0-9.+-]+", licence) is not None
        details["licenses"] = [{"identifier": licence} if is_spdx else {"custom_text": licence}]
    io = extensions.get("io") or {}
    parameters = {
        "model_architecture": (extensions.get("architecture") or {}).get("description"),
        "data": [_written_dataset(one) for one in extensions.get("data") or ()],
        "input_format": io.get("input_format"),
        "input_format_map": _pairs(io.get("input_schema")),
        "output_format": io.get("output_format"),
        "output_format_map": _pairs(io.get("output_schema")),
    }
    scope = extensions.get("scope") or {}
    uses = (content.get("intended_uses") or {}).get("intended_uses")
    considerations = {
        "users": [{"description": text} for text in scope.get("primary_users") or ()],
        "use_cases": [{"description": uses}] if uses else None,
        "limitations": [{"description": text} for text in scope.get("limitations") or ()],
        "tradeoffs": [{"description": one["trade_off"]} for one in extensions.get("trade_offs") or ()],
        "ethical_considerations": [
            _filled({"name": one["risk"], "mitigation_strategy": one.get("mitigation")})
            for one in extensions.get("risks") or ()
        ],
    }
    metrics = written_performance(content, extensions, INTERVAL)
    threshold = io.get("decision_threshold")
    for metric in metrics if threshold is not None else ():
        metric["threshold"] = str(threshold)
    document = {
        "schema_version": "0.0.2",
        "model_details": _filled(details),
        "model_parameters": _filled(parameters),
        "quantitative_analysis": _filled({"performance_metrics": metrics}),
        "considerations": _filled(considerations),
    }
    plain = (indented(_filled(document)) + "\n").encode()
    return finished(content, extensions, plain=plain, found=read(plain), embed=None, system=SYSTEM)


def _filled(value: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in value.items() if one is not None and one not in ("", [], {})}


def _owners(overview: Mapping[str, Any], extensions: Mapping[str, Any]) -> list[dict[str, Any]]:
    contacts = [one for one in extensions.get("contacts") or () if one.get("role") == "owner"]
    found = [_filled({"name": one["name"], "contact": one.get("contact")}) for one in contacts]
    owner = overview.get("model_owner")
    if owner and all(one["name"] != owner for one in found):
        found.insert(0, {"name": owner})
    return found


def _written_version(overview: Mapping[str, Any], extensions: Mapping[str, Any]) -> dict[str, Any]:
    log = extensions.get("change_log") or ()
    last = log[-1] if log else {}
    number = overview.get("model_version")
    day = str(last.get("date") or "")[:10]
    name = last.get("version") or (None if number is None else str(number))
    return _filled({"name": name, "date": day, "diff": last.get("description")})


def _written_references(extensions: Mapping[str, Any]) -> dict[str, Any]:
    found = extensions.get("references") or ()
    return {
        "references": [{"reference": one["uri"]} for one in found if one.get("uri")],
        "citations": [
            {"style": one["title"], "citation": one["citation"]} for one in found if one.get("citation")
        ],
    }


def _written_dataset(one: Mapping[str, Any]) -> dict[str, Any]:
    sensitive = one.get("sensitive_fields")
    made = {"name": one["name"], "link": one.get("uri"), "description": one.get("description")}
    return _filled({**made, "sensitive": {"sensitive_data": sensitive} if sensitive else None})


def _pairs(schema: Any) -> list[dict[str, str]]:
    if not isinstance(schema, dict) or not all(isinstance(value, str) for value in schema.values()):
        return []
    return [{"key": key, "value": value} for key, value in schema.items()]
