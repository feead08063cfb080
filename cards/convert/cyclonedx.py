"""CycloneDX ML-BOM: a component of the type machine-learning-model with its ``modelCard``; 1.6 is written, 1.5 to 1.7 read.

References
----------
.. [1] CycloneDX/specification, ``schema/bom-1.6.schema.json``, definitions ``component`` and ``modelCard``.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.convert.converted import (
    PREFIX,
    Converted,
    Written,
    completed,
    decoded_object,
    digest_of,
    finished,
    kept_fields,
    kept_patch,
)
from driftline.cards.convert.draft import Draft
from driftline.cards.convert.licences import SPDX
from driftline.cards.convert.performance import Names, read_performance, written_performance
from driftline.cards.convert.source import Source, number_of
from driftline.cards.errors import CardError
from driftline.cards.text.json_form import indented

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from driftline.cards.convert.converted import Meta
    from driftline.cards.convert.patch import Patch

__all__ = ["read", "write"]

SYSTEM: Final = "CycloneDX"
VERSIONS: Final = ("1.5", "1.6", "1.7")
MODEL: Final = "machine-learning-model"
INTERVAL: Final = Names("confidenceInterval", "lowerBound", "upperBound")
IMAGE: Final = "a card has no images; metrics can be charts"

ACTIVITIES: Final = {
    "development": "design",
    "training": "training",
    "fine-tuning": "fine-tuning",
    "validation": "validation",
    "testing": "validation",
    "inference": "inference",
    "other": "other",
}
"""What computing is done for, in a card's words and in CycloneDX's."""

_IRI = re.compile(r"[^\s<>\"{}|\\^`\x00-\x20]+")


def read(data: bytes, file: str | None = None) -> Converted:
    """Make a card of the first machine-learning model of a bill of materials.

    Parameters
    ----------
    data : bytes
        JSON.
    file : str, optional
        Name used in errors.

    Returns
    -------
    Converted
        Other components are lost, and told.

    Raises
    ------
    DocumentError
        If it is not JSON.
    CardError
        ``E-CARD-DOCUMENT`` if it is no CycloneDX, of another version, or has no machine-learning model.
    """
    value = decoded_object(data, file, "a CycloneDX document")
    if value.get("bomFormat") != "CycloneDX":
        raise _refused("expected a CycloneDX document: bomFormat is not CycloneDX", "bomFormat", file)
    if value.get("specVersion") not in VERSIONS:
        found = str(value.get("specVersion"))[:20]
        raise _refused(
            f"version {found!r} is not one with model cards that driftline reads: {', '.join(VERSIONS)}",
            "specVersion",
            file,
        )
    components = list(_components(value))
    models = [(path, one) for path, one in components if one.get("type") == MODEL]
    if not models:
        raise _refused(f"none of its {len(components)} components is of the type {MODEL}", "components", file)
    path, component = models[0]
    kept, component = _without_kept(component)
    root = Source(component, path)
    draft = Draft()
    name = root.text("name")
    _component(root, draft, name)
    _card(root.inside("modelCard"), draft)
    others = [
        f"{place}: a card is of one model, this is another component"
        for place, one in components
        if one is not component and place != path
    ]
    document = Source(value)
    for key in ("$schema", "bomFormat", "specVersion", "serialNumber", "version", "components"):
        document.raw(key)
    metadata = document.inside("metadata")
    for key in ("timestamp", "tools", "component"):
        metadata.raw(key)
    card = draft.finish([*root.left(), *others, *document.left()], name)
    patch, written = kept_patch(kept, file)
    return completed(card, patch, written, digest_of(component), file)


def _refused(message: str, field: str, file: str | None) -> CardError:
    fix = "give a bill of materials (JSON) that describes a machine-learning model"
    return CardError(message, code="E-CARD-DOCUMENT", file=file, field=field, fix=fix)


def _components(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    metadata = value.get("metadata")
    main = metadata.get("component") if isinstance(metadata, dict) else None
    if isinstance(main, dict):
        yield from _nested("metadata.component", main)
    yield from _listed("components", value.get("components"))


def _listed(path: str, items: object) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, one in enumerate(items) if isinstance(items, list) else ():
        if isinstance(one, dict):
            yield from _nested(f"{path}.{place}", one)


def _nested(path: str, one: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, one
    yield from _listed(f"{path}.components", one.get("components"))


def _without_kept(component: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return driftline's own properties of a component's card, and the component without them."""
    card = component.get("modelCard")
    properties = card.get("properties") if isinstance(card, dict) else None
    if not isinstance(card, dict) or not isinstance(properties, list):
        return {}, component
    kept = {}
    others = []
    for one in properties:
        name = one.get("name") if isinstance(one, dict) else None
        if isinstance(name, str) and name.startswith(PREFIX):
            kept[name] = str(one.get("value", ""))
        else:
            others.append(one)
    without = {key: one for key, one in card.items() if key != "properties"}
    if others:
        without["properties"] = others
    rest = {key: one for key, one in component.items() if key != "modelCard"}
    return kept, {**rest, "modelCard": without} if without else rest


def _component(root: Source, draft: Draft, name: str | None) -> None:
    for key in ("type", "bom-ref", "components"):
        root.raw(key)
    group = root.text("group")
    model = f"{group}/{name}" if group else name
    draft.put("model_overview.model_name", model, root.join("name"))
    draft.tell("model_overview.model_description", root.text("description"), root.join("description"))
    version = root.text("version")
    number = number_of(version)
    if number is not None and number >= 1 and version == str(number):
        draft.put("model_overview.model_version", number, root.join("version"))
    elif version is not None:
        entry = {"version": version, "description": f"Version {version}"}
        draft.add("extensions.change_log", entry, root.join("version"))
    for key in ("publisher", "author"):
        text = root.text(key)
        if text is not None and draft.get("model_overview.model_creator") is None:
            draft.put("model_overview.model_creator", text, root.join(key))
        elif text is not None:
            draft.add("extensions.contacts", {"name": text, "role": key}, root.join(key))
    for key in ("supplier", "manufacturer"):
        _organisation(root.inside(key), key, draft)
    for one in root.each("authors"):
        _person(one, "author", draft)
    _licences(root, draft)
    draft.put("extensions.catalogue.tags", root.texts("tags"), root.join("tags"))
    for one in root.inside("pedigree").each("ancestors"):
        _ancestor(one, draft)
    for one in root.each("externalReferences"):
        _reference(one, draft)
    for one in root.each("properties"):
        _property(one, draft)


def _organisation(one: Source, role: str, draft: Draft) -> None:
    one.raw("bom-ref")
    name = one.text("name")
    urls = one.texts("url")
    if name is not None:
        contact = {"name": name, "role": role, "contact": ", ".join(urls)}
        draft.add("extensions.contacts", contact, one.path)
    elif urls:
        one.leave("url", "a contact has a name")
    for person in one.each("contact"):
        _person(person, role, draft, name)


def _person(one: Source, role: str, draft: Draft, organisation: str | None = None) -> None:
    one.raw("bom-ref")
    ways = [text for text in (one.text("email"), one.text("phone")) if text]
    name = one.text("name") or (ways[0] if ways else None)
    if name is not None:
        contact = {"name": name, "role": role, "organisation": organisation, "contact": ", ".join(ways)}
        draft.add("extensions.contacts", contact, one.path)


def _licences(root: Source, draft: Draft) -> None:
    for place, one in enumerate(root.each("licenses")):
        licence = one.inside("license")
        for inside in (one, licence):
            inside.raw("bom-ref")
        text = one.text("expression") or licence.text("id") or licence.text("name")
        if place:
            licence.leave("id", "a card names one licence")
            licence.leave("name", "a card names one licence")
            continue
        draft.put("extensions.legal.licence", text, one.path)
        draft.put("extensions.legal.licence_uri", licence.text("url"), licence.join("url"))


def _ancestor(one: Source, draft: Draft) -> None:
    one.raw("type")
    one.raw("bom-ref")
    group, name = one.text("group"), one.text("name")
    licences = one.each("licenses")
    licence = licences[0].inside("license") if licences else Source(None)
    made = {
        "name": f"{group}/{name}" if group else name,
        "revision": one.text("version"),
        "supplier": one.text("publisher"),
        "licence": licence.text("id") or licence.text("name"),
    }
    if name is not None:
        draft.add("extensions.base_models", made, one.path)


def _reference(one: Source, draft: Draft) -> None:
    kind, url, comment = one.text("type"), one.text("url"), one.text("comment")
    if url is None:
        return
    if kind == "distribution":
        artifacts = draft.get("model_overview.model_artifact") or []
        draft.put("model_overview.model_artifact", [*artifacts, url], one.path)
        if comment is not None:
            one.leave("comment", "an artifact is a URI")
        return
    draft.add("extensions.references", {"title": comment or kind or url[:1024], "uri": url}, one.path)


def _property(one: Source, draft: Draft) -> None:
    name, value = one.text("name"), one.text("value")
    if name is None:
        return
    draft.detail(name, value or "", one.path)


def _card(card: Source, draft: Draft) -> None:
    card.raw("bom-ref")
    parameters = card.inside("modelParameters")
    approach = parameters.inside("approach").text("type")
    _detail("learning approach", approach, parameters.join("approach"), draft)
    draft.put("model_overview.problem_type", parameters.text("task"), parameters.join("task"))
    family = parameters.text("architectureFamily")
    draft.put("model_overview.algorithm_type", family, parameters.join("architectureFamily"))
    architecture = parameters.text("modelArchitecture")
    draft.tell("extensions.architecture.description", architecture, parameters.join("modelArchitecture"))
    for one in parameters.each("datasets"):
        _dataset(one, draft)
    for key, path in (("inputs", "extensions.io.input_format"), ("outputs", "extensions.io.output_format")):
        formats = [one.text("format") for one in parameters.each(key)]
        draft.put(path, ", ".join(one for one in formats if one), parameters.join(key))
    analysis = card.inside("quantitativeAnalysis")
    read_performance(draft, analysis.each("performanceMetrics"), INTERVAL)
    analysis.inside("graphics").leave("collection", IMAGE)
    _considerations(card.inside("considerations"), draft)
    for one in card.each("properties"):
        _property(one, draft)


def _detail(name: str, text: str | None, source: str, draft: Draft) -> None:
    if text is not None:
        draft.detail(name, text, source)


def _dataset(one: Source, draft: Draft) -> None:
    one.raw("type")
    one.raw("bom-ref")
    contents = one.inside("contents")
    name, url = one.text("name"), contents.text("url")
    one.inside("graphics").leave("collection", IMAGE)
    made = {
        "name": name,
        "uri": url,
        "description": one.text("description"),
        "sensitive_fields": one.texts("sensitiveData"),
    }
    if name is not None:
        draft.add("extensions.data", made, one.path)
    elif url is not None:
        path = "training_details.training_job_details.training_datasets"
        draft.put(path, [*(draft.get(path) or ()), url], one.path)


def _considerations(considerations: Source, draft: Draft) -> None:
    for key, path in (
        ("users", "extensions.scope.primary_users"),
        ("technicalLimitations", "extensions.scope.limitations"),
    ):
        for text in considerations.texts(key):
            draft.tell(path, text, considerations.join(key))
    cases = "\n".join(considerations.texts("useCases"))
    draft.tell("intended_uses.intended_uses", cases, considerations.join("useCases"))
    for text in considerations.texts("performanceTradeoffs"):
        draft.add("extensions.trade_offs", {"trade_off": text}, considerations.join("performanceTradeoffs"))
    for one in considerations.each("ethicalConsiderations"):
        risk = one.text("name")
        if risk is not None:
            made = {"risk": risk, "mitigation": one.text("mitigationStrategy")}
            draft.add("extensions.risks", made, one.path)
    for one in considerations.each("fairnessAssessments"):
        group = one.text("groupAtRisk")
        if group is not None:
            made = {
                "group": group,
                "benefits": one.text("benefits"),
                "harms": one.text("harms"),
                "mitigation": one.text("mitigationStrategy"),
            }
            draft.add("extensions.fairness", made, one.path)
    environment = considerations.inside("environmentalConsiderations")
    for one in environment.each("energyConsumptions"):
        _energy(one, draft)
    for one in environment.each("properties"):
        _property(one, draft)


def _energy(one: Source, draft: Draft) -> None:
    back = {theirs: ours for ours, theirs in reversed(ACTIVITIES.items())}
    made: dict[str, Any] = {"activity": back.get(one.text("activity") or "", "other")}
    cost = one.inside("activityEnergyCost")
    cost.raw("unit")
    made["energy_kwh"] = cost.number("value")
    carbon = one.inside("co2CostEquivalent")
    carbon.raw("unit")
    tonnes = carbon.number("value")
    made["carbon_kg"] = None if tonnes is None else tonnes * 1000
    for place, provider in enumerate(one.each("energyProviders")):
        if place:
            provider.leave("organization", "a card names one provider")
            continue
        if provider.text("energySource") not in (None, "unknown"):
            provider.leave("energySource", "a card does not say where energy comes from")
        provided = provider.inside("energyProvided")
        provided.raw("unit")
        if provided.number("value") != made["energy_kwh"]:
            provided.leave("value", "a card names the energy that was used")
        organisation = provider.inside("organization")
        made["provider"] = organisation.text("name")
        address = organisation.inside("address")
        parts = (address.text(key) for key in ("locality", "region", "country"))
        made["region"] = ", ".join(part for part in parts if part)
    draft.add("extensions.compute", made, one.path)


def write(content: Mapping[str, Any], extensions: Mapping[str, Any], meta: Meta) -> Written:
    """Write a card as a bill of materials with one component, by CycloneDX 1.6.

    Parameters
    ----------
    content, extensions : mapping
        The card.
    meta : Meta

    Returns
    -------
    Written
        JSON; what the format has no place for stands in properties whose names begin with ``driftline:``.
    """
    component = _filled(_written_component(content, extensions, meta))
    plain = _document(component, meta)

    def embed(patch: Patch) -> bytes:
        card = component.get("modelCard", {})
        fields = kept_fields(patch, digest_of(component))
        own = [{"name": name, "value": value} for name, value in fields.items()]
        return _document(
            {**component, "modelCard": {**card, "properties": [*card.get("properties", []), *own]}}, meta
        )

    return finished(
        content, extensions, plain=plain, found=read(plain), embed=embed if meta.keep else None, system=SYSTEM
    )


def _document(component: dict[str, Any], meta: Meta) -> bytes:
    said = f"{meta.name}\n{meta.version}\n{meta.content_hash}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, said)}",
        "version": meta.version or 1,
        "metadata": {"timestamp": _moment(meta.moment)},
        "components": [component],
    }
    return (indented(document) + "\n").encode()


def _moment(moment: int) -> str:
    return datetime.fromtimestamp(moment // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _filled(value: Any) -> Any:
    """Return a value without what is empty in its objects."""
    if isinstance(value, dict):
        found = {key: _filled(one) for key, one in value.items()}
        return {
            key: one
            for key, one in found.items()
            if key == "energyProviders" or (one is not None and one not in ("", [], {}))
        }
    return [_filled(one) for one in value] if isinstance(value, list) else value


def _is_iri(text: object) -> bool:
    return isinstance(text, str) and _IRI.fullmatch(text) is not None


def _written_component(
    content: Mapping[str, Any], extensions: Mapping[str, Any], meta: Meta
) -> dict[str, Any]:
    overview = content.get("model_overview") or {}
    number = overview.get("model_version")
    references = [
        {"type": "distribution", "url": uri} for uri in overview.get("model_artifact") or () if _is_iri(uri)
    ] + [
        {"type": "documentation", "url": one["uri"], "comment": one["title"]}
        for one in extensions.get("references") or ()
        if _is_iri(one.get("uri"))
    ]
    legal = extensions.get("legal") or {}
    return {
        "type": MODEL,
        "bom-ref": "model",
        "publisher": overview.get("model_creator"),
        "name": overview.get("model_name") or meta.name,
        "version": None if number is None else str(number),
        "description": overview.get("model_description"),
        "licenses": _written_licence(legal.get("licence"), legal.get("licence_uri")),
        "pedigree": {"ancestors": [_written_ancestor(one) for one in extensions.get("base_models") or ()]},
        "externalReferences": references,
        "tags": (extensions.get("catalogue") or {}).get("tags"),
        "modelCard": _written_card(content, extensions),
    }


def _written_licence(licence: str | None, uri: str | None = None) -> list[dict[str, Any]]:
    if not licence:
        return []
    made = {"id": licence} if licence in SPDX else {"name": licence}
    return [{"license": {**made, "url": uri if _is_iri(uri) else None}}]


def _written_ancestor(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": MODEL,
        "publisher": one.get("supplier"),
        "name": one["name"],
        "version": one.get("revision"),
        "licenses": _written_licence(one.get("licence")),
    }


def _written_card(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> dict[str, Any]:
    overview = content.get("model_overview") or {}
    io = extensions.get("io") or {}
    job = (content.get("training_details") or {}).get("training_job_details") or {}
    details = (content.get("additional_information") or {}).get("custom_details") or {}
    sets = [
        {"type": "dataset", "contents": {"url": uri}}
        for uri in job.get("training_datasets") or ()
        if _is_iri(uri)
    ]
    return {
        "modelParameters": {
            "task": overview.get("problem_type"),
            "architectureFamily": overview.get("algorithm_type"),
            "modelArchitecture": (extensions.get("architecture") or {}).get("description"),
            "datasets": sets + [_written_dataset(one) for one in extensions.get("data") or ()],
            "inputs": [{"format": io["input_format"]}] if io.get("input_format") else None,
            "outputs": [{"format": io["output_format"]}] if io.get("output_format") else None,
        },
        "quantitativeAnalysis": {"performanceMetrics": written_performance(content, extensions, INTERVAL)},
        "considerations": _written_considerations(content, extensions),
        "properties": [
            {"name": name, "value": value} for name, value in details.items() if not name.startswith(PREFIX)
        ],
    }


def _written_dataset(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "dataset",
        "name": one["name"],
        "contents": {"url": one["uri"]} if _is_iri(one.get("uri")) else None,
        "sensitiveData": one.get("sensitive_fields"),
        "description": one.get("description"),
    }


def _written_considerations(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> dict[str, Any]:
    scope = extensions.get("scope") or {}
    uses = (content.get("intended_uses") or {}).get("intended_uses")
    return {
        "users": scope.get("primary_users"),
        "useCases": [uses] if uses else None,
        "technicalLimitations": scope.get("limitations"),
        "performanceTradeoffs": [one["trade_off"] for one in extensions.get("trade_offs") or ()],
        "ethicalConsiderations": [
            {"name": one["risk"], "mitigationStrategy": one.get("mitigation")}
            for one in extensions.get("risks") or ()
        ],
        "environmentalConsiderations": {
            "energyConsumptions": [
                _written_energy(one)
                for one in extensions.get("compute") or ()
                if one.get("energy_kwh") is not None
            ]
        },
        "fairnessAssessments": [
            {
                "groupAtRisk": one["group"],
                "benefits": one.get("benefits"),
                "harms": one.get("harms"),
                "mitigationStrategy": one.get("mitigation"),
            }
            for one in extensions.get("fairness") or ()
        ],
    }


def _written_energy(one: Mapping[str, Any]) -> dict[str, Any]:
    energy = {"value": one["energy_kwh"], "unit": "kWh"}
    provider = {
        "organization": {"name": one.get("provider"), "address": {"region": one.get("region")}},
        "energySource": "unknown",
        "energyProvided": energy,
    }
    made: dict[str, Any] = {
        "activity": ACTIVITIES[one["activity"]],
        "energyProviders": [provider] if one.get("provider") or one.get("region") else [],
        "activityEnergyCost": energy,
    }
    if one.get("carbon_kg") is not None:
        made["co2CostEquivalent"] = {"value": one["carbon_kg"] / 1000, "unit": "tCO2eq"}
    return made
