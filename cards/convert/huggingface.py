"""Cards of the Hugging Face Hub: ``README.md`` with a YAML header, and chapters as in the Hub's template.

References
----------
.. [1] huggingface/hub-docs, ``modelcard.md``: keys of the header.
.. [2] huggingface/huggingface_hub, ``templates/modelcard_template.md``: headings of the body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from driftline.cards.convert import hub_body
from driftline.cards.convert.converted import MAX_BYTES, Converted, Written, completed, digest_of, finished
from driftline.cards.convert.draft import Draft
from driftline.cards.convert.header import read_header, split, written_header
from driftline.cards.convert.licences import of_hugging_face, to_hugging_face
from driftline.cards.convert.model_index import read_results, written_results
from driftline.cards.convert.patch import Patch, path_of, pointer
from driftline.cards.convert.source import Source, number_of
from driftline.cards.errors import CardError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftline.cards.convert.converted import Meta

__all__ = ["read", "write"]

SYSTEM: Final = "a Hugging Face card"
OWN: Final = "driftline"
"""Key of the header for what the Hub has no key for."""

RELATIONS: Final = {
    "fine-tuned": "finetune",
    "adapter": "adapter",
    "merged": "merge",
    "quantized": "quantized",
}


def read(data: bytes, file: str | None = None) -> Converted:
    """Make a card of a ``README.md`` of the Hub.

    Parameters
    ----------
    data : bytes
        UTF-8.
    file : str, optional
        Name used in errors.

    Returns
    -------
    Converted
        Places in the body are headings with their lines.

    Raises
    ------
    CardError
        ``E-CARD-YAML`` for a header that is not plain YAML, ``E-CARD-DOCUMENT`` for what is no text or too long.
    """
    text = _text(data, file)
    header, body, line = split(text, file)
    values = (
        {} if header is None else read_header(header, file, above=text.count("\n", 0, text.index("---")) + 1)
    )
    own = values.pop(OWN, None)
    root = Source(values)
    draft = Draft()
    results = root.each("model-index")
    read_results(results, draft)
    _header(root, draft)
    title = hub_body.read_body(body, draft, line - 1)
    name = draft.get("model_overview.model_name") or title
    found = draft.finish(root.left(), name)
    patch, written = _kept(own, file)
    return completed(found, patch, written, digest_of([values, body.strip()]), file)


def _text(data: bytes, file: str | None) -> str:
    if len(data) > MAX_BYTES:
        raise CardError(
            f"has {len(data):,} bytes, more than the limit of {MAX_BYTES:,}",
            code="E-CARD-DOCUMENT",
            file=file,
            fix="give the README.md of a model",
        )
    try:
        return data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        wrong = CardError(
            f"byte {error.start:,} is not valid UTF-8",
            code="E-CARD-DOCUMENT",
            file=file,
            fix="save the file as UTF-8",
        )
        wrong.line = data.count(b"\n", 0, error.start) + 1
        raise wrong from None


def _kept(own: object, file: str | None) -> tuple[Patch | None, str | None]:
    if own is None:
        return None, None
    put = own.get("put", {}) if isinstance(own, dict) else None
    drop = own.get("drop", []) if isinstance(own, dict) else None
    if (
        not isinstance(put, dict)
        or not isinstance(drop, list)
        or not all(isinstance(one, str) for one in drop)
    ):
        raise CardError(
            "what driftline keeps in a header is not as it wrote it",
            code="E-CARD-DOCUMENT",
            file=file,
            field=OWN,
            fix="remove it, or export the card again",
        )
    patch = Patch(
        tuple((path_of(place), value) for place, value in put.items()), tuple(path_of(one) for one in drop)
    )
    written = own.get("written") if isinstance(own, dict) else None
    return patch, written if isinstance(written, str) else None


def _header(root: Source, draft: Draft) -> None:
    draft.put("extensions.catalogue.languages", root.texts("language"), "language")
    for key, field in (("library_name", "library"), ("pipeline_tag", "task")):
        draft.put(f"extensions.catalogue.{field}", root.text(key), key)
    draft.put("extensions.catalogue.tags", root.texts("tags"), "tags")
    _licence(root, draft)
    for name in root.texts("datasets"):
        draft.add("extensions.data", {"name": name}, "datasets")
    relation = root.text("base_model_relation")
    back = {theirs: ours for ours, theirs in RELATIONS.items()}
    if relation is not None and relation not in back:
        root.leave("base_model_relation", "expected " + ", ".join(back))
    for name in root.texts("base_model"):
        draft.add(
            "extensions.base_models", {"name": name, "relation": back.get(relation or "")}, "base_model"
        )
    _emissions(root, draft)
    kinds = {
        details
        for job in draft.content.get("evaluation_details") or ()
        for key, details in (job.get("metadata") or {}).items()
        if key.startswith("metric_type ")
    }
    kinds |= {
        metric["name"].casefold()
        for job in draft.content.get("evaluation_details") or ()
        for group in job["metric_groups"]
        for metric in group["metric_data"]
    }
    metrics = root.texts("metrics")
    without = [one for one in metrics if one.casefold() not in kinds]
    if without:
        root.leave("metrics", f"no value is given for {', '.join(without)[:200]}")


def _licence(root: Source, draft: Draft) -> None:
    licence, name, link = root.text("license"), root.text("license_name"), root.text("license_link")
    if licence is None and len(several := root.texts("license")) > 1:
        root.leave("license", f"a card names one licence, here are {len(several)}")
        licence = several[0]
    if licence == "other" and name is not None:
        draft.put("extensions.legal.licence", name, "license_name")
    elif licence is not None:
        draft.put("extensions.legal.licence", of_hugging_face(licence), "license")
        if name is not None:
            root.leave("license_name", "the licence has an identifier already")
    draft.put("extensions.legal.licence_uri", link, "license_link")


def _emissions(root: Source, draft: Draft) -> None:
    """Take emissions in grams, as a number or with what they are of."""
    key = "co2_eq_emissions"
    grams = root.number(key)
    if grams is None:
        inside = root.inside(key)
        grams = inside.number("emissions")
        for theirs, ours in (
            ("source", "method"),
            ("hardware_used", "hardware"),
            ("geographical_location", "region"),
        ):
            draft.put(f"extensions.environment.{ours}", inside.text(theirs), inside.join(theirs))
    draft.put("extensions.environment.carbon_kg", None if grams is None else grams / 1000, key)


def write(content: Mapping[str, Any], extensions: Mapping[str, Any], meta: Meta) -> Written:
    """Write a card as a ``README.md`` for the Hub.

    Parameters
    ----------
    content, extensions : mapping
        The card.
    meta : Meta

    Returns
    -------
    Written
        UTF-8; what neither the Hub's keys nor the template's chapters have a place for stands in the header, below
        ``driftline``.
    """
    header = _written_values(content, extensions, meta)
    body = hub_body.written_body(content, extensions, meta)
    plain = _document(header, body)
    digest = digest_of([header, body.strip()])

    def embed(patch: Patch) -> bytes:
        own: dict[str, Any] = {"written": digest}
        if patch.put:
            own["put"] = {pointer(path): value for path, value in patch.put}
        if patch.drop:
            own["drop"] = [pointer(path) for path in patch.drop]
        return _document({**header, OWN: own}, body)

    return finished(
        content, extensions, plain=plain, found=read(plain), embed=embed if meta.keep else None, system=SYSTEM
    )


def _document(header: dict[str, Any], body: str) -> bytes:
    head = f"---\n{written_header(header)}---\n\n" if header else ""
    return f"{head}{body}".encode()


def _written_values(content: Mapping[str, Any], extensions: Mapping[str, Any], meta: Meta) -> dict[str, Any]:
    catalogue = extensions.get("catalogue") or {}
    legal = extensions.get("legal") or {}
    values: dict[str, Any] = {"language": catalogue.get("languages")}
    licence = legal.get("licence")
    if licence:
        known = to_hugging_face(licence)
        values |= {"license": known} if known else {"license": "other", "license_name": licence}
    values["license_link"] = legal.get("licence_uri")
    values["library_name"] = catalogue.get("library")
    values["pipeline_tag"] = catalogue.get("task")
    values["tags"] = catalogue.get("tags")
    values["datasets"] = [one["name"] for one in extensions.get("data") or () if _is_id(one["name"])]
    bases = [one for one in extensions.get("base_models") or () if _is_id(one["name"])]
    values["base_model"] = [one["name"] for one in bases]
    relations = {one.get("relation") for one in bases}
    values["base_model_relation"] = RELATIONS.get(relations.pop() or "") if len(relations) == 1 else None
    values["co2_eq_emissions"] = _written_emissions(extensions.get("environment") or {})
    results = written_results(content, extensions)
    if results:
        name = (content.get("model_overview") or {}).get("model_name") or meta.name
        values["model-index"] = [{"name": name, "results": results}]
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {})}


def _is_id(name: str) -> bool:
    """Tell whether a name can be one of the Hub: ``name`` or ``owner/name``."""
    parts = name.split("/")
    return len(parts) <= 2 and all(
        part
        and part.isascii()
        and part.strip("-_.")
        and part.replace("-", "").replace("_", "").replace(".", "").isalnum()
        for part in parts
    )


def _written_emissions(environment: Mapping[str, Any]) -> dict[str, Any] | None:
    carbon = number_of(environment.get("carbon_kg"))
    if carbon is None:
        return None
    made = {
        "emissions": carbon * 1000,
        "source": environment.get("method"),
        "hardware_used": environment.get("hardware"),
        "geographical_location": environment.get("region"),
    }
    return {key: value for key, value in made.items() if value is not None and value != ""}
