"""SPDX 3.0.1 with the AI profile, as JSON-LD: an ``ai_AIPackage``, its data sets, its licence and its supplier.

References
----------
.. [1] spdx/spdx-3-model, ``model/AI``, ``model/Dataset``, ``model/Extension``.
.. [2] spdx/spdx-3-model, ``serialization/jsonld``: one context, a flat graph, short names of properties.
"""

from __future__ import annotations

import hashlib
import re
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
from driftline.cards.convert.licences import is_expression
from driftline.cards.convert.performance import metric_of, simple_metrics, text_of
from driftline.cards.convert.source import Source, number_of
from driftline.cards.errors import CardError
from driftline.cards.text.json_form import indented
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.cards.convert.converted import Meta
    from driftline.cards.convert.patch import Patch

__all__ = ["read", "write"]

SYSTEM: Final = "SPDX"
CONTEXT: Final = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
NAMESPACE: Final = "https://driftline.invalid/spdx"
"""Where the identifiers of what is written begin; they name things, nothing is there."""

EXTENSION: Final = "extension_CdxPropertiesExtension"
JOB: Final = "Metrics"
RISKS: Final = {"serious": "High", "high": "High", "medium": "Medium", "low": "Low"}
STAGES: Final = (
    ("training", "ai_trainingEnergyConsumption"),
    ("fine-tuning", "ai_finetuningEnergyConsumption"),
    ("inference", "ai_inferenceEnergyConsumption"),
)
PRESENCE: Final = {
    "ai_autonomyType": "acts without people",
    "ai_useSensitivePersonalInformation": "uses sensitive personal information",
}
"""Custom details that say yes, no, or noAssertion."""

ABOUT_ITSELF: Final = ("CreationInfo", "SpdxDocument", "software_Sbom", "Bom", "Bundle")
"""Elements that speak of the document, not of the model."""

PREPROCESSING: Final = "preprocessing"
"""Name of the data whose preparation is told, and nothing else."""

KWH_PER_MEGAJOULE: Final = 1 / 3.6

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


def read(data: bytes, file: str | None = None) -> Converted:
    """Make a card of the first AI package of an SPDX 3 document.

    Parameters
    ----------
    data : bytes
        JSON-LD.
    file : str, optional
        Name used in errors.

    Returns
    -------
    Converted
        Other packages and files are lost, and told.

    Raises
    ------
    DocumentError
        If it is not JSON.
    CardError
        ``E-CARD-DOCUMENT`` if it is no SPDX 3.0, or has no AI package.
    """
    value = decoded_object(data, file, "an SPDX document")
    graph = value.get("@graph")
    context = value.get("@context")
    if not isinstance(graph, list) or "spdx.org/rdf/3.0" not in str(context):
        raise _refused("expected SPDX 3.0 as JSON-LD, with its @context and a @graph", "@context", file)
    elements = [one for one in graph if isinstance(one, dict)]
    package = next((one for one in elements if one.get("type") == "ai_AIPackage"), None)
    if package is None:
        raise _refused("it has no element of the type ai_AIPackage", "@graph", file)
    places = {id(one): f"@graph.{place}" for place, one in enumerate(graph)}
    kept, plain = _without_kept(package)
    reader = _Reader(elements, plain, places[id(package)])
    found = reader.run([one for one in elements if one is not package], places)
    patch, written = kept_patch(kept, file)
    rest = [plain if one is package else one for one in elements]
    return completed(found, patch, written, digest_of(_said(rest)), file)


def _refused(message: str, field: str, file: str | None) -> CardError:
    fix = "give an SPDX 3.0 document (JSON-LD) with the AI profile"
    return CardError(message, code="E-CARD-DOCUMENT", file=file, field=field, fix=fix)


def _without_kept(package: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    kept: dict[str, str] = {}
    others: list[Any] = []
    given = package.get("extension")
    for one in given if isinstance(given, list) else ():
        entries = one.get("extension_cdxProperty") if isinstance(one, dict) else None
        left = []
        for entry in entries if isinstance(entries, list) else ():
            name = entry.get("extension_cdxPropName") if isinstance(entry, dict) else None
            if isinstance(name, str) and name.startswith(PREFIX):
                kept[name] = str(entry.get("extension_cdxPropValue", ""))
            else:
                left.append(entry)
        if left or not isinstance(entries, list):
            others.append({**one, "extension_cdxProperty": left} if isinstance(entries, list) else one)
    plain = {key: value for key, value in package.items() if key != "extension"}
    if given is not None and not isinstance(given, list):
        return kept, package
    return kept, {**plain, "extension": others} if others else plain


class _Reader:
    def __init__(self, elements: list[dict[str, Any]], package: dict[str, Any], path: str) -> None:
        self._by_id = {one["spdxId"]: one for one in elements if isinstance(one.get("spdxId"), str)}
        self._links = [one for one in elements if one.get("type") == "Relationship"]
        self._root = Source(package, path)
        self._id = package.get("spdxId")
        self._created = [one.get("created") for one in elements if one.get("type") == "CreationInfo"]
        self._used: set[int] = set()
        self._sources: list[Source] = []
        self.draft = Draft()

    def run(self, others: list[dict[str, Any]], places: dict[int, str]) -> Converted:
        root, draft = self._root, self.draft
        for key in ("type", "spdxId", "creationInfo"):
            root.raw(key)
        if root.text("software_primaryPurpose") not in (None, "model"):
            root.leave("software_primaryPurpose", "a card is of a model")
        name = root.text("name")
        draft.put("model_overview.model_name", name, root.join("name"))
        for key in ("description", "summary", "comment"):
            draft.tell("model_overview.model_description", root.text(key), root.join(key))
        self._version(root)
        location = root.text("software_downloadLocation")
        draft.put(
            "model_overview.model_artifact",
            [location] if location else [],
            root.join("software_downloadLocation"),
        )
        supplier = self._element(root.raw("suppliedBy"))
        if supplier is not None:
            creator = supplier.get("name")
            draft.put("model_overview.model_creator", creator, root.join("suppliedBy"))
        elif root.has("suppliedBy"):
            root.leave("suppliedBy", "the document has no such element")
        self._told(root)
        self._energy(root.inside("ai_energyConsumption"))
        self._relations(places)
        makers = set()
        for one in others:
            names = one.get("createdBy") if one.get("type") == "CreationInfo" else None
            makers |= {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()
        counts: dict[str, list[str]] = {}
        for one in others:
            if id(one) in self._used or one.get("type") in ABOUT_ITSELF or str(one.get("spdxId")) in makers:
                continue
            counts.setdefault(printable(one.get("type"), 60), []).append(places[id(one)])
        for kind, found in counts.items():
            which = (
                f"an element of the type {kind} has"
                if len(found) == 1
                else f"{len(found):,} elements of the type {kind} have"
            )
            draft.lost.append(f"{found[0]}: {which} no place in a card")
        left = [line for source in (root, *self._sources) for line in source.left()]
        return draft.finish(left, name)

    def _element(self, value: object) -> dict[str, Any] | None:
        found = self._by_id.get(value) if isinstance(value, str) else value
        if isinstance(found, dict):
            self._used.add(id(found))
            return found
        return None

    def _version(self, root: Source) -> None:
        version = root.text("software_packageVersion")
        number = number_of(version)
        where = root.join("software_packageVersion")
        if number is not None and number >= 1 and version == str(number):
            self.draft.put("model_overview.model_version", number, where)
        elif version is not None:
            known = {"version": version, "description": f"Version {version}"}
            self.draft.add("extensions.change_log", known, where)
        released = root.text("releaseTime")
        # What is written here names the moment of the document, as the profile wants one.
        if released is not None and released not in self._created:
            entry = {"date": released, "version": version, "description": "Released"}
            self.draft.add("extensions.change_log", entry, root.join("releaseTime"))

    def _told(self, root: Source) -> None:
        draft = self.draft
        kinds = ", ".join(root.texts("ai_typeOfModel"))
        draft.tell("model_overview.algorithm_type", kinds, root.join("ai_typeOfModel"))
        domain = ", ".join(root.texts("ai_domain"))
        draft.put("business_details.line_of_business", domain, root.join("ai_domain"))
        for key, path in (
            ("ai_informationAboutApplication", "intended_uses.intended_uses"),
            ("ai_informationAboutTraining", "training_details.training_observations"),
            ("ai_limitation", "extensions.scope.limitations"),
        ):
            draft.tell(path, root.text(key), root.join(key))
        for text in root.texts("ai_modelExplainability"):
            where = root.join("ai_modelExplainability")
            draft.tell("extensions.oversight.explainability_method", text, where)
        for text in root.texts("ai_modelDataPreprocessing"):
            made = {"name": PREPROCESSING, "cleaning": text}
            draft.add("extensions.data", made, root.join("ai_modelDataPreprocessing"))
        for text in root.texts("ai_standardCompliance"):
            draft.add("extensions.legal.standards", {"name": text}, root.join("ai_standardCompliance"))
        risk = root.text("ai_safetyRiskAssessment")
        where = root.join("ai_safetyRiskAssessment")
        draft.put("intended_uses.risk_rating", RISKS.get(risk or ""), where)
        if risk is not None and risk not in RISKS:
            root.leave("ai_safetyRiskAssessment", "expected serious, high, medium or low")
        for key, detail in PRESENCE.items():
            said = root.text(key)
            if said is not None:
                draft.detail(detail, said, root.join(key))
        self._dictionaries(root)

    def _dictionaries(self, root: Source) -> None:
        draft = self.draft
        for one in root.each("ai_hyperparameter"):
            one.raw("type")
            made = {"name": one.text("key"), "value": one.text("value")}
            if made["name"] is not None:
                path = "training_details.training_job_details.hyper_parameters"
                draft.add(path, made, one.path)
        metrics = []
        for one in root.each("ai_metric"):
            one.raw("type")
            key, value = one.text("key"), one.text("value")
            metric = None if key is None or value is None else metric_of(key, value)
            if metric is not None:
                metrics.append(metric)
            elif value is not None:
                one.leave("value", "a metric has a name, and text of at most 63 characters")
        if metrics:
            groups = [{"name": JOB, "metric_data": metrics}]
            draft.add("evaluation_details", {"name": JOB, "metric_groups": groups}, root.join("ai_metric"))
        thresholds = root.each("ai_metricDecisionThreshold")
        for place, one in enumerate(thresholds):
            one.raw("type")
            number = number_of(one.raw("value"))
            if place == 0 and number is not None:
                draft.put("extensions.io.decision_threshold", number, one.path)
                reason = one.text("key")
                if reason not in (None, "decision threshold"):
                    draft.put("extensions.io.decision_threshold_reason", reason, one.path)
            else:
                one.leave("value", "a card has one threshold, a number")

    def _energy(self, energy: Source) -> None:
        energy.raw("type")
        energy.raw("@id")
        for activity, key in STAGES:
            for one in energy.each(key):
                one.raw("type")
                quantity, unit = number_of(one.raw("ai_energyQuantity")), one.text("ai_energyUnit")
                if quantity is None or unit not in ("kilowattHour", "megajoule"):
                    one.leave("ai_energyQuantity", "expected kilowatt hours or megajoules")
                    continue
                kwh = quantity if unit == "kilowattHour" else quantity * KWH_PER_MEGAJOULE
                self.draft.add("extensions.compute", {"activity": activity, "energy_kwh": kwh}, one.path)

    def _relations(self, places: dict[int, str]) -> None:
        draft = self.draft
        for link in self._links:
            kind = link.get("relationshipType")
            if link.get("from") != self._id:
                continue
            to = link.get("to")
            targets = [one for one in to if isinstance(one, str)] if isinstance(to, list) else []
            if kind in ("hasDeclaredLicense", "hasConcludedLicense"):
                self._used.add(id(link))
                if draft.get("extensions.legal.licence") is None and targets:
                    element = self._element(targets[0])
                    said = element.get("simplelicensing_licenseExpression") if element else None
                    text = said if isinstance(said, str) else targets[0].rpartition("/")[2]
                    draft.put("extensions.legal.licence", text, places[id(link)])
            elif kind in ("trainedOn", "testedOn"):
                self._used.add(id(link))
                for target in targets:
                    self._dataset(target, "train" if kind == "trainedOn" else "test", places)

    def _dataset(self, target: str, split: str, places: dict[int, str]) -> None:
        element = self._by_id.get(target)
        if element is None or element.get("type") not in ("dataset_DatasetPackage", "software_File"):
            return
        source = Source(element, places[id(element)])
        if id(element) in self._used:
            source = Source({"name": element.get("name")}, places[id(element)])
        else:
            self._sources.append(source)
        self._used.add(id(element))
        for key in ("type", "spdxId", "creationInfo"):
            source.raw(key)
        if source.text("software_primaryPurpose") not in (None, "data"):
            source.leave("software_primaryPurpose", "data are data")
        if source.texts("dataset_datasetType") not in ([], ["noAssertion"]):
            source.leave("dataset_datasetType", "a card does not say of what type data are")
        sensitive = source.text("dataset_hasSensitivePersonalInformation")
        size = source.raw("dataset_datasetSize")
        made = {
            "name": source.text("name") or target.rpartition("/")[2][:255],
            "uri": source.text("software_downloadLocation"),
            "split": split,
            "description": source.text("description") or source.text("comment"),
            "collection": source.text("dataset_dataCollectionProcess"),
            "cleaning": "\n".join(source.texts("dataset_dataPreprocessing")),
            "personal_data": {"yes": "yes", "no": "no", "noAssertion": "unknown"}.get(sensitive or ""),
        }
        if size is not None:
            source.leave("dataset_datasetSize", "a card counts rows, not bytes")
        self.draft.add("extensions.data", made, source.path)


def write(content: Mapping[str, Any], extensions: Mapping[str, Any], meta: Meta) -> Written:
    """Write a card as an SPDX 3.0.1 document with the AI and Dataset profiles.

    Parameters
    ----------
    content, extensions : mapping
        The card.
    meta : Meta
        Its moment is that of the document.

    Returns
    -------
    Written
        JSON-LD; what the profile has no place for stands in properties whose names begin with ``driftline:``.
    """
    graph, package = _Writer(content, extensions, meta).run()
    plain = _document(graph)
    digest = digest_of(_said(graph))

    def embed(patch: Patch) -> bytes:
        entries = [
            {
                "type": "extension_CdxPropertyEntry",
                "extension_cdxPropName": name,
                "extension_cdxPropValue": value,
            }
            for name, value in kept_fields(patch, digest).items()
        ]
        extension = {"type": EXTENSION, "extension_cdxProperty": entries}
        more = {**package, "extension": [extension]}
        found = [more if one is package else one for one in graph]
        return _document([_with_extension(one) if one["type"] == "SpdxDocument" else one for one in found])

    return finished(
        content, extensions, plain=plain, found=read(plain), embed=embed if meta.keep else None, system=SYSTEM
    )


def _with_extension(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "profileConformance": [*document["profileConformance"], "extension"]}


def _said(graph: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the elements that say something of the model."""
    return [one for one in graph if one.get("type") not in ABOUT_ITSELF]


def _document(graph: list[dict[str, Any]]) -> bytes:
    return (indented({"@context": CONTEXT, "@graph": graph}) + "\n").encode()


class _Writer:
    def __init__(self, content: Mapping[str, Any], extensions: Mapping[str, Any], meta: Meta) -> None:
        self._content = content
        self._extensions = extensions
        self._meta = meta
        said = f"{meta.name}\n{meta.version}\n{meta.content_hash}"
        self._base = f"{NAMESPACE}/{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:32]}"
        self._moment = datetime.fromtimestamp(meta.moment // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._graph: list[dict[str, Any]] = []

    def run(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        overview = self._content.get("model_overview") or {}
        creator = overview.get("model_creator")
        supplier = self._add("Agent", "supplier", name=creator or "unknown")
        package = self._package(overview, supplier["spdxId"] if creator else None)
        self._licence(package)
        self._datasets(package)
        document = {
            "type": "SpdxDocument",
            "spdxId": f"{self._base}/document",
            "creationInfo": "_:creation",
            "profileConformance": ["core", "software", "simpleLicensing", "ai", "dataset"],
            "rootElement": [package["spdxId"]],
        }
        creation = {
            "type": "CreationInfo",
            "@id": "_:creation",
            "specVersion": "3.0.1",
            "created": self._moment,
            "createdBy": [supplier["spdxId"]],
        }
        return [creation, document, *self._graph], package

    def _add(self, kind: str, place: str, **fields: Any) -> dict[str, Any]:
        made = {
            "type": kind,
            "spdxId": f"{self._base}/{place}",
            "creationInfo": "_:creation",
            **{
                key: value for key, value in fields.items() if value is not None and value not in ("", [], {})
            },
        }
        self._graph.append(made)
        return made

    def _package(self, overview: Mapping[str, Any], supplier: str | None) -> dict[str, Any]:
        content, extensions = self._content, self._extensions
        training = content.get("training_details") or {}
        job = training.get("training_job_details") or {}
        uses = content.get("intended_uses") or {}
        details = (content.get("additional_information") or {}).get("custom_details") or {}
        number = overview.get("model_version")
        artifacts = [uri for uri in overview.get("model_artifact") or () if _is_uri(uri)]
        threshold = (extensions.get("io") or {}).get("decision_threshold")
        parameters = [
            *(job.get("hyper_parameters") or ()),
            *(job.get("user_provided_hyper_parameters") or ()),
        ]
        domain = (content.get("business_details") or {}).get("line_of_business")
        limitations = (extensions.get("scope") or {}).get("limitations") or []
        explained = (extensions.get("oversight") or {}).get("explainability_method")
        algorithm = overview.get("algorithm_type")
        back = {"High": "high", "Medium": "medium", "Low": "low"}
        presence = {key: details.get(detail) for key, detail in PRESENCE.items()}
        return self._add(
            "ai_AIPackage",
            "model",
            name=overview.get("model_name") or self._meta.name,
            description=overview.get("model_description"),
            suppliedBy=supplier,
            releaseTime=self._moment,
            software_packageVersion=None if number is None else str(number),
            software_downloadLocation=artifacts[0] if artifacts else None,
            software_primaryPurpose="model",
            ai_domain=[domain] if domain else None,
            ai_typeOfModel=[algorithm] if algorithm else None,
            ai_informationAboutApplication=uses.get("intended_uses") or uses.get("purpose_of_model"),
            ai_informationAboutTraining=training.get("training_observations"),
            ai_limitation="\n".join(limitations),
            ai_modelExplainability=[explained] if explained else None,
            ai_standardCompliance=[
                one["name"] for one in (extensions.get("legal") or {}).get("standards") or ()
            ],
            ai_safetyRiskAssessment=back.get(uses.get("risk_rating", "")),
            ai_hyperparameter=[_entry(one["name"], one.get("value")) for one in parameters],
            ai_metric=[
                _entry(metric["name"], text_of(metric["value"])) for _, _, metric in simple_metrics(content)
            ],
            ai_metricDecisionThreshold=None
            if threshold is None
            else [_entry("decision threshold", str(threshold))],
            ai_energyConsumption=_written_energy(extensions),
            **{key: text if text in ("yes", "no", "noAssertion") else None for key, text in presence.items()},
        )

    def _licence(self, package: dict[str, Any]) -> None:
        licence = (self._extensions.get("legal") or {}).get("licence")
        if not licence or not is_expression(licence):
            return
        found = self._add(
            "simplelicensing_LicenseExpression", "licence", simplelicensing_licenseExpression=licence
        )
        self._link("hasDeclaredLicense", package, found)

    def _link(self, kind: str, package: dict[str, Any], target: dict[str, Any]) -> None:
        place = f"{target['spdxId'].rpartition('/')[2]}-{kind}"
        self._add(
            "Relationship", place, relationshipType=kind, **{"from": package["spdxId"]}, to=[target["spdxId"]]
        )

    def _datasets(self, package: dict[str, Any]) -> None:
        presence = {"yes": "yes", "no": "no", "unknown": "noAssertion"}
        for place, one in enumerate(self._extensions.get("data") or ()):
            if set(one) == {"name", "cleaning"} and one["name"] == PREPROCESSING:
                package.setdefault("ai_modelDataPreprocessing", []).append(one["cleaning"])
                continue
            uri = one.get("uri")
            found = self._add(
                "dataset_DatasetPackage",
                f"data-{place}",
                name=one["name"],
                description=one.get("description"),
                software_downloadLocation=uri if _is_uri(uri) else None,
                software_primaryPurpose="data",
                dataset_datasetType=["noAssertion"],
                dataset_dataCollectionProcess=one.get("collection"),
                dataset_dataPreprocessing=[one["cleaning"]] if one.get("cleaning") else None,
                dataset_hasSensitivePersonalInformation=presence.get(one.get("personal_data", "")),
            )
            self._link("testedOn" if one.get("split") == "test" else "trainedOn", package, found)


def _is_uri(text: str | None) -> bool:
    return text is not None and _URI.fullmatch(text) is not None


def _entry(key: str, value: str | None) -> dict[str, Any]:
    made = {"type": "DictionaryEntry", "key": key}
    return made if value is None else {**made, "value": value}


def _written_energy(extensions: Mapping[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for activity, key in STAGES:
        used = [
            {
                "type": "ai_EnergyConsumptionDescription",
                "ai_energyQuantity": _decimal(one["energy_kwh"]),
                "ai_energyUnit": "kilowattHour",
            }
            for one in extensions.get("compute") or ()
            if one["activity"] == activity and one.get("energy_kwh") is not None
        ]
        if used:
            found[key] = used
    return {"type": "ai_EnergyConsumption", **found} if found else None


def _decimal(value: float) -> str:
    """Return a number as ``xsd:decimal``, which has no exponent; it reads back as the same number."""
    text = repr(value)
    if "e" not in text:
        return text
    from decimal import Decimal

    return format(Decimal(text), "f")
