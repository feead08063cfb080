"""Chapters of a Hugging Face card and the fields of a card that they are, both ways."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from driftline.cards.convert.chapters import chapters_of, escaped, facts_of, is_placeholder, items_of
from driftline.cards.convert.licences import of_hugging_face
from driftline.cards.convert.performance import simple_metrics, text_of
from driftline.cards.convert.source import number_of
from driftline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from driftline.cards.convert.chapters import Chapter
    from driftline.cards.convert.converted import Meta
    from driftline.cards.convert.draft import Draft

__all__ = ["read_body", "written_body"]

TITLE: Final = "Model Card for "

DESCRIPTION: Final = "model_overview.model_description"
USES: Final = "intended_uses.intended_uses"
OBSERVATIONS: Final = "training_details.training_observations"
PARAMETERS: Final = "training_details.training_job_details.hyper_parameters"

TEXTS: Final = {
    "model description": DESCRIPTION,
    "model details": DESCRIPTION,
    "model summary": DESCRIPTION,
    "description": DESCRIPTION,
    "overview": DESCRIPTION,
    "summary": DESCRIPTION,
    "introduction": DESCRIPTION,
    "uses": "intended_uses.purpose_of_model",
    "purpose": "intended_uses.purpose_of_model",
    "direct use": USES,
    "intended use": USES,
    "intended uses": USES,
    "intended uses & limitations": USES,
    "intended uses and limitations": USES,
    "intended use cases": USES,
    "bias, risks, and limitations": "additional_information.ethical_considerations",
    "bias, risks and limitations": "additional_information.ethical_considerations",
    "risks and limitations": "additional_information.ethical_considerations",
    "limitations and bias": "additional_information.ethical_considerations",
    "ethical considerations": "additional_information.ethical_considerations",
    "bias": "additional_information.ethical_considerations",
    "recommendations": "additional_information.caveats_and_recommendations",
    "caveats and recommendations": "additional_information.caveats_and_recommendations",
    "how to get started with the model": "extensions.instructions_for_use.description",
    "how to get started": "extensions.instructions_for_use.description",
    "how to use": "extensions.instructions_for_use.description",
    "usage": "extensions.instructions_for_use.description",
    "training": OBSERVATIONS,
    "training details": OBSERVATIONS,
    "training procedure": OBSERVATIONS,
    "speeds, sizes, times": OBSERVATIONS,
    "metrics": "extensions.metric_rationale",
    "model examination": "extensions.oversight.explainability_method",
    "model architecture and objective": "extensions.architecture.description",
    "model architecture": "extensions.architecture.description",
    "architecture": "extensions.architecture.description",
}
"""Chapters that are one text of a card."""

LISTS: Final = {
    "out-of-scope use": "extensions.scope.out_of_scope_uses",
    "out-of-scope uses": "extensions.scope.out_of_scope_uses",
    "out-of-scope use cases": "extensions.scope.out_of_scope_uses",
    "out of scope use": "extensions.scope.out_of_scope_uses",
    "misuse and out-of-scope use": "extensions.scope.out_of_scope_uses",
    "limitations": "extensions.scope.limitations",
    "known limitations": "extensions.scope.limitations",
    "factors": "extensions.scope.factors",
}
"""Chapters that are a list of texts."""

DATA: Final = {
    "training data": ("Training data", "train"),
    "training dataset": ("Training data", "train"),
    "dataset": ("Training data", None),
    "training and evaluation data": ("Training and evaluation data", None),
    "testing data": ("Testing data", "test"),
    "evaluation data": ("Evaluation data", "test"),
}
"""Chapters on a set of data: its name and its use."""

RESULTS: Final = ("results", "evaluation", "evaluation results", "training results", "performance")
CITATIONS: Final = (
    "citation",
    "bibtex",
    "apa",
    "bibtex entry and citation info",
    "citation information",
    "how to cite",
)
FACTS: Final = {
    "developed by": "model_overview.model_creator",
    "shared by": "model_overview.model_owner",
    "model type": "model_overview.algorithm_type",
}
SAID: Final = "the header, or a chapter before it, says something else"

ENVIRONMENT: Final = (
    ("hardware type", "Hardware Type", "hardware"),
    ("hours used", "Hours used", "hours"),
    ("cloud provider", "Cloud Provider", "provider"),
    ("compute region", "Compute Region", "region"),
    ("carbon emitted", "Carbon Emitted", "carbon_kg"),
    ("energy used", "Energy used", "energy_kwh"),
)

CALCULATOR: Final = "Carbon emissions can be estimated using the [Machine Learning Impact calculator]"
GRAMS: Final = re.compile(r"([0-9.eE+-]+)\s*(kg|g|t)\b", re.IGNORECASE)
PARAMETER: Final = re.compile(r"^[-*][ \t]+(?:\*\*)?([^:*\n]{1,255}?)(?:\*\*)?:(?:\*\*)?[ \t]+(.{1,255})$")
VERSION: Final = re.compile(r"^[-*][ \t]+([A-Za-z][\w. -]{0,80}?)[ :]{1,5}v?(\d\S{0,80})$")
CITED: Final = re.compile(r"^\*\*(.{1,200}?):\*\*[ \t]{0,20}$", re.MULTILINE)
CONTACT: Final = re.compile(r"(.+?)(?: \((.+?)\))?(?:: (.+))?", re.DOTALL)
PLAIN_TITLE: Final = re.compile(r"[\w][\w ,&()/.-]*")


def read_body(body: str, draft: Draft, above: int) -> str | None:
    """Take the chapters of a body into a card.

    Parameters
    ----------
    body : str
    draft : Draft
    above : int
        Lines of the file before the first of the body.

    Returns
    -------
    str or None
        What the title says the model is called.
    """
    reader = _Reader(draft, above)
    for chapter in chapters_of(body):
        reader.take(chapter)
    return reader.title


class _Reader:
    def __init__(self, draft: Draft, above: int) -> None:
        self._draft = draft
        self._above = above
        self.title: str | None = None
        self._special: dict[str, Callable[[Chapter, str], None]] = {
            "downstream use": self._downstream,
            "model sources": self._sources,
            "preprocessing": self._preprocessing,
            "training hyperparameters": self._parameters,
            "hyperparameters": self._parameters,
            "environmental impact": self._environment,
            "framework versions": self._versions,
            "software": self._versions,
            "hardware": self._hardware,
            "model card authors": self._authors,
            "model card contact": self._contact,
            **dict.fromkeys(RESULTS, self._results),
            **dict.fromkeys(CITATIONS, self._citation),
        }

    def take(self, chapter: Chapter) -> None:
        name = chapter.path[-1] if chapter.path else ""
        where = f"{chapter.title or 'text'} (line {chapter.line + self._above})"
        known = name in TEXTS or name in LISTS or name in DATA or name in self._special
        if chapter.level == 1 and not known and self.title is None:
            self.title = chapter.title.removeprefix(TITLE).strip() or None
            overview = self._draft.content.get("model_overview") or {}
            if self.title and self.title.casefold() != "model id" and "model_name" not in overview:
                self._draft.put("model_overview.model_name", self.title, where)
            name = "model description"
        elif not chapter.path:
            name = "model description"
        if is_placeholder(chapter.text):
            return
        if name == "summary" and len(chapter.path) > 1 and chapter.path[-2] in RESULTS:
            self._results(chapter, where)
        elif name in TEXTS:
            self._text(TEXTS[name], chapter, where)
        elif name in LISTS:
            for one in items_of(chapter.text):
                self._draft.tell(LISTS[name], one, where)
        elif name in DATA:
            title, split = DATA[name]
            made = {"name": title, "split": split, "description": chapter.text}
            self._draft.add("extensions.data", made, where)
        elif name in self._special:
            self._special[name](chapter, where)
        else:
            self._other(chapter.title, chapter.text, where)

    def _text(self, path: str, chapter: Chapter, where: str) -> None:
        text = chapter.text
        if path == DESCRIPTION:
            facts, text = facts_of(text)
            for name, value in facts:
                self._fact(name, value, where)
        self._draft.tell(path, text, where)

    def _fact(self, name: str, value: str, where: str) -> None:
        draft = self._draft
        if name in FACTS:
            self._once(FACTS[name], name, value, where)
        elif name.startswith(("finetuned from", "fine-tuned from")):
            bases = [one["name"] for one in draft.get("extensions.base_models") or ()]
            if not bases:
                draft.add("extensions.base_models", {"name": value, "relation": "fine-tuned"}, where)
            elif all(one.casefold() not in value.casefold() for one in bases):
                draft.lost.append(f"{where}, {name}: {SAID}")
        elif name in ("license", "licence"):
            self._once("extensions.legal.licence", name, of_hugging_face(value), where)
        elif name.startswith("language"):
            languages = [one.strip() for one in value.split(",")]
            if draft.get("extensions.catalogue.languages") is None:
                draft.put("extensions.catalogue.languages", languages, where)
            else:
                draft.detail(name, value, where)
        else:
            self._other(name, value, where)

    def _once(self, path: str, name: str, value: str, where: str) -> None:
        """Set a field that the header, or a chapter before, has not set to something else."""
        before = self._draft.get(path)
        if before is None:
            self._draft.put(path, value, where)
        elif str(before).casefold() != value.casefold():
            self._draft.lost.append(f"{where}, {name}: {SAID}")

    def _other(self, title: str, text: str, where: str) -> None:
        """Keep a chapter that has no field as a custom detail."""
        self._draft.detail(title, text, where)

    def _downstream(self, chapter: Chapter, where: str) -> None:
        self._draft.tell(USES, f"Downstream use: {chapter.text}", where)

    def _sources(self, chapter: Chapter, where: str) -> None:
        facts, rest = facts_of(chapter.text)
        for name, value in facts:
            uri = value.strip("<>")
            found = re.fullmatch(r"\[[^\]]*\]\((\S+)\)", value)
            uri = found[1] if found else uri
            made = {"title": name, "uri": uri} if " " not in uri else {"title": f"{name}: {value}"}
            self._draft.add("extensions.references", made, where)
        if rest:
            self._other(chapter.title, rest, where)

    def _preprocessing(self, chapter: Chapter, where: str) -> None:
        data = self._draft.get("extensions.data") or []
        at = next((n for n, one in enumerate(data) if one.get("split") == "train"), None)
        if at is None:
            made = {"name": "Training data", "split": "train", "cleaning": chapter.text}
            self._draft.add("extensions.data", made, where)
        else:
            data[at] = {**data[at], "cleaning": chapter.text}

    def _parameters(self, chapter: Chapter, where: str) -> None:
        rest = []
        for line in chapter.text.split("\n"):
            found = PARAMETER.match(line)
            if found is None:
                rest.append(line)
            elif not is_placeholder(found[2]):
                self._draft.add(PARAMETERS, {"name": found[1].strip(), "value": found[2].strip()}, where)
        text = "\n".join(rest).strip()
        if text.rstrip(":").casefold() != "the following hyperparameters were used during training":
            self._draft.tell(OBSERVATIONS, text, where)

    def _environment(self, chapter: Chapter, where: str) -> None:
        facts, rest = facts_of(chapter.text)
        names = {theirs: ours for theirs, _, ours in ENVIRONMENT}
        for name, value in facts:
            ours = names.get(name)
            path = f"extensions.environment.{ours}"
            if ours is None:
                self._other(name, value, where)
            elif ours in ("hours", "carbon_kg", "energy_kwh"):
                number = _kilograms(value) if ours == "carbon_kg" else number_of(value.split(" ")[0])
                before = self._draft.get(path)
                if number is None:
                    self._other(name, value, where)
                elif before is None:
                    self._draft.put(path, number, where)
                elif before != number:
                    self._draft.lost.append(f"{where}, {name}: {SAID}")
            else:
                self._once(path, name, value, where)
        parts = [part for part in rest.split("\n\n") if not part.startswith(CALCULATOR)]
        self._draft.tell("extensions.environment.method", "\n\n".join(parts).strip(), where)

    def _versions(self, chapter: Chapter, where: str) -> None:
        rest = []
        for line in chapter.text.split("\n"):
            found = VERSION.match(line)
            if found is None:
                rest.append(line)
            else:
                self._draft.add("extensions.third_party", {"name": found[1], "version": found[2]}, where)
        text = "\n".join(rest).strip()
        if text:
            self._other(chapter.title, text, where)

    def _hardware(self, chapter: Chapter, where: str) -> None:
        if len(chapter.text) <= 1024:
            made = {"activity": "training", "hardware": chapter.text}
            self._draft.add("extensions.compute", made, where)
        else:
            self._other(chapter.title, chapter.text, where)

    def _results(self, chapter: Chapter, where: str) -> None:
        if chapter.text == _table(self._draft.content):
            return  # the same as in the header, for people
        name = "Results" if chapter.path[-1] == "summary" else chapter.title[:63] or "Results"
        if len(chapter.text) > 2096:
            entry = {"evaluation": name, "procedure": chapter.text}
            self._draft.add("extensions.evaluation", entry, where)
            self._draft.add("evaluation_details", {"name": name}, where)
            return
        made = {"name": name, "evaluation_observation": chapter.text}
        self._draft.add("evaluation_details", made, where)

    def _citation(self, chapter: Chapter, where: str) -> None:
        parts = CITED.split(chapter.text)
        if parts[0].strip():
            self._cited(chapter.title, parts[0], where)
        for title, text in zip(parts[1::2], parts[2::2], strict=True):
            self._cited(title, text, where)

    def _cited(self, title: str, text: str, where: str) -> None:
        if not is_placeholder(text):
            self._draft.add("extensions.references", {"title": title, "citation": text.strip()}, where)

    def _authors(self, chapter: Chapter, where: str) -> None:
        for one in items_of(chapter.text):
            is_name = len(one) <= 255
            made = {"name": one if is_name else chapter.title[:255], "contact": None if is_name else one}
            self._draft.add("extensions.contacts", {**made, "role": "card author"}, where)

    def _contact(self, chapter: Chapter, where: str) -> None:
        for one in items_of(chapter.text):
            found = CONTACT.fullmatch(one) if len(one) <= 2000 else None
            if found is None:
                self._draft.lost.append(f"{where}: has {len(one):,} characters, a contact has fewer")
            else:
                made = {"name": found[1], "role": found[2] or "card contact", "contact": found[3]}
                self._draft.add("extensions.contacts", made, where)


def _kilograms(text: str) -> float | int | None:
    found = GRAMS.match(text)
    number = number_of(found[1]) if found else number_of(text)
    if number is None:
        return None
    unit = found[2].casefold() if found else "g"
    return number / 1000 if unit == "g" else number * 1000 if unit == "t" else number


def written_body(content: Mapping[str, Any], extensions: Mapping[str, Any], meta: Meta) -> str:
    """Return the body: the template's chapters that have something to say."""
    name = (content.get("model_overview") or {}).get("model_name") or meta.name
    parts = [f"# {TITLE}{printable(name).replace('#', '').strip() or meta.name}"]
    parts += _chapters(content, extensions)
    return "\n\n".join(parts) + "\n"


def _chapters(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> Iterator[str]:
    uses = content.get("intended_uses") or {}
    more = content.get("additional_information") or {}
    scope = extensions.get("scope") or {}
    yield from _about(content, extensions)
    yield from _group(
        "Uses",
        uses.get("purpose_of_model"),
        [
            ("Direct Use", uses.get("intended_uses")),
            ("Out-of-Scope Use", _items(scope.get("out_of_scope_uses"))),
        ],
    )
    yield from _group(
        "Bias, Risks, and Limitations",
        more.get("ethical_considerations"),
        [
            ("Limitations", _items(scope.get("limitations"))),
            ("Recommendations", more.get("caveats_and_recommendations")),
        ],
    )
    started = (extensions.get("instructions_for_use") or {}).get("description")
    yield from _group("How to Get Started with the Model", started, [])
    yield from _training(content, extensions)
    yield from _evaluation(content, extensions)
    explained = (extensions.get("oversight") or {}).get("explainability_method")
    yield from _group("Model Examination", explained, [])
    yield from _group("Environmental Impact", _environment(extensions.get("environment") or {}), [])
    architecture = (extensions.get("architecture") or {}).get("description")
    yield from _group("Technical Specifications", None, [("Model Architecture and Objective", architecture)])
    cited = [one for one in extensions.get("references") or () if one.get("citation") and not one.get("uri")]
    citations = [f"**{one['title']}:**\n\n{one['citation']}" for one in cited if _is_line(one["title"])]
    yield from _group("Citation", "\n\n".join(citations), [])
    yield from _group("Model Card Contact", _contacts(extensions), [])
    for title, text in (more.get("custom_details") or {}).items():
        if PLAIN_TITLE.fullmatch(title):
            yield from _group(title, text, [])


def _group(title: str, text: str | None, below: list[tuple[str, str | None]]) -> Iterator[str]:
    """Yield a chapter and those below it; only those that have a text that a body can hold."""
    own = escaped(text) if text else None
    inner = [(name, made) for name, one in below if one and (made := escaped(one))]
    if own is None and not inner:
        return
    yield f"## {title}"
    if own is not None:
        yield own
    for name, made in inner:
        yield f"### {name}\n\n{made}"


def _is_line(text: Any) -> bool:
    return (
        isinstance(text, str)
        and text == text.strip()
        and text.isprintable()
        and len(text) > 0
        and "*" not in text
    )


def _items(texts: list[str] | None) -> str | None:
    """Return texts as a list, where each is one line."""
    if not texts or not all(_is_line(one) for one in texts):
        return None
    return "\n".join(f"- {one}" for one in texts)


def _facts(facts: list[tuple[str, Any]]) -> str:
    return "\n".join(f"- **{name}:** {value}" for name, value in facts if _is_line(value))


def _about(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> Iterator[str]:
    overview = content.get("model_overview") or {}
    facts = _facts(
        [
            ("Developed by", overview.get("model_creator")),
            ("Shared by", overview.get("model_owner")),
            ("Model type", overview.get("algorithm_type")),
        ]
    )
    description = overview.get("model_description")
    told = description if description and escaped(description) and not facts_of(description)[0] else None
    sources = [
        (one["title"], one["uri"])
        for one in extensions.get("references") or ()
        if one.get("uri") and _is_line(one["title"]) and ":" not in one["title"]
    ]
    whole = "\n\n".join(part for part in (told, facts) if part)
    yield from _group(
        "Model Details", None, [("Model Description", whole), ("Model Sources", _facts(sources))]
    )


def _training(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> Iterator[str]:
    training = content.get("training_details") or {}
    parameters = (training.get("training_job_details") or {}).get("hyper_parameters") or ()
    listed = "\n".join(
        f"- {one['name']}: {one['value']}"
        for one in parameters
        if _is_line(one["name"]) and ":" not in one["name"] and _is_line(one.get("value"))
    )
    told = next(
        (one["description"] for one in extensions.get("data") or () if _is_chapter(one, "Training data")),
        None,
    )
    below = [
        ("Training Data", told),
        ("Training Procedure", training.get("training_observations")),
        ("Training Hyperparameters", listed),
    ]
    yield from _group("Training Details", None, below)


def _is_chapter(one: Mapping[str, Any], name: str) -> bool:
    return one["name"] == name and bool(one.get("description"))


def _evaluation(content: Mapping[str, Any], extensions: Mapping[str, Any]) -> Iterator[str]:
    scope = extensions.get("scope") or {}
    told = next(
        (one["description"] for one in extensions.get("data") or () if _is_chapter(one, "Testing data")), None
    )
    below = [
        ("Testing Data", told),
        ("Factors", _items(scope.get("factors"))),
        ("Metrics", extensions.get("metric_rationale")),
        ("Results", _table(content)),
    ]
    yield from _group("Evaluation", None, below)


def _table(content: Mapping[str, Any]) -> str | None:
    """Return the metrics of the header as a table, for people."""
    rows = [
        f"| {_cell(job)} | {_cell(group)} | {_cell(metric['name'])} | {_cell(text_of(metric['value']))} |"
        for job, group, metric in simple_metrics(content)
    ]
    return "\n".join(["| Evaluation | Task | Metric | Value |", "|---|---|---|---|", *rows]) if rows else None


def _cell(text: str) -> str:
    return printable(text).replace("|", "\\|")


def _environment(environment: Mapping[str, Any]) -> str:
    units = {"carbon_kg": " kg", "energy_kwh": " kWh"}
    facts = [
        (title, f"{environment[ours]}{units.get(ours, '')}")
        for _, title, ours in ENVIRONMENT
        if environment.get(ours) is not None
    ]
    return _facts(facts)


def _contacts(extensions: Mapping[str, Any]) -> str | None:
    found = []
    for one in extensions.get("contacts") or ():
        role = f" ({one['role']})" if one.get("role") else ""
        contact = f": {one['contact']}" if one.get("contact") else ""
        found.append(f"{one['name']}{role}{contact}")
    return _items(found)
