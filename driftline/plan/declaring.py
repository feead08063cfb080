"""Declaring: everything that a configuration says, told to the registry in one transaction, in an order that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftline.errors import UsageError
from driftline.plan.material import kept_place, whole_path
from driftline.plan.step import Change, Note, Step, diff_changes, folded
from driftline.registry import alerts, baselines, endpoints, lineage, models, schedules, settings, targets
from driftline.registry.store import Tx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from driftline.configuration.specs import (
        BaselineSpec,
        Configuration,
        EndpointSpec,
        ModelSpec,
        MonitorSpec,
        TargetSpec,
        VersionSpec,
    )
    from driftline.plan.material import Draft, Material
    from driftline.registry.outbox import Event

__all__ = ["Declaration", "Noting"]

_NOT_CONFIG = ("name", "endpoint", "kind", "baseline", "enabled", "alerts")
_PAGE = 1000


class Noting(Tx):
    """A transaction that remembers what it wrote into the audit log."""

    notes: list[Note]

    def record(
        self,
        action: str,
        subject: str,
        *,
        before: Any = None,
        after: Any = None,
        data: Mapping[str, Any] | None = None,
    ) -> Event:
        """Write what was done, see :meth:`Tx.record`, and remember it."""
        self.notes.append(Note(action, subject, before, after))
        return super().record(action, subject, before=before, after=after, data=data)


class Declaration:
    """A configuration on its way into a registry.

    Parameters
    ----------
    tx : Noting
    root : str
        Of the workspace.
    configuration : Configuration
    material : Material
    prune : bool
        Archive what the configuration does not mention.
    accept : bool
        Accept new versions of baselines.
    """

    def __init__(
        self,
        tx: Noting,
        root: str,
        configuration: Configuration,
        material: Material,
        *,
        prune: bool = False,
        accept: bool = False,
    ) -> None:
        self.tx = tx
        self.root = root
        self.declared = configuration
        self.material = material
        self.prune = prune
        self.accept = accept
        self.left: list[tuple[str, str]] = []

    def steps(self) -> list[Step]:
        """Do it all, and return what was done.

        Raises
        ------
        DriftlineError
            For what the registry refuses.
        """
        return [step for steps in self._sections() for step in steps]

    def _sections(self) -> Iterator[Iterator[Step]]:
        yield self._settings()
        yield self._models()
        yield self._endpoints()
        yield (self._baseline(spec) for spec in self.declared.baselines.values())
        yield (self._target(spec) for spec in self.declared.targets.values())
        yield (self._monitor(spec) for spec in self.declared.monitors.values())
        yield self._rest()

    def _step(self, kind: str, name: str, act: Callable[[], object], why: str = "", **given: Any) -> Step:
        start = len(self.tx.notes)
        act()
        return folded(kind, name, self.tx.notes[start:], why=why, **given)

    # --- settings ---------------------------------------------------------------------------------------------------

    def _settings(self) -> Iterator[Step]:
        tx = self.tx
        if "workspace" in self.declared.sections:
            captures = self.declared.workspace.captures
            # By default they lie in the workspace, wherever the file is.
            kept = captures if captures == "captures" else kept_place(self.declared, self.root, captures)
            value: dict[str, Any] = {"captures": kept}
            yield self._step("setting", "workspace", lambda: settings.put(tx, "workspace", value))
        if "scheduler" in self.declared.sections:
            plain = self.declared.scheduler.canonical()
            heartbeat = plain.pop("heartbeat")
            if heartbeat is not None:
                plain["heartbeat"] = self._without_none(heartbeat)
            yield self._step("setting", "scheduler", lambda: settings.put(tx, "scheduler", plain))

    def _without_none(self, plain: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is said, with the files of secrets as paths that hold wherever the scheduler is started."""
        return {
            key: whole_path(self.declared, value) if key.endswith("_file") else value
            for key, value in plain.items()
            if value is not None
        }

    # --- models and endpoints ---------------------------------------------------------------------------------------

    def _models(self) -> Iterator[Step]:
        for spec in self.declared.models.values():
            yield self._model(spec)
            for version in spec.versions:
                yield self._version(spec.name, version)

    def _model(self, spec: ModelSpec) -> Step:
        def act() -> None:
            there = models.find(self.tx, spec.name)
            # What the file leaves out, an import may have filled in.
            risk = None if spec.risk_rating == "unknown" and there is not None else spec.risk_rating
            models.declare(
                self.tx,
                spec.name,
                owner=spec.owner,
                description=spec.description,
                risk_rating=risk,
                tags=dict(spec.tags) or None,
            )

        return self._step("model", spec.name, act, quiet={"risk_rating": "unknown"})

    def _version(self, model: str, spec: VersionSpec) -> Step:
        key = (model, spec.version)
        artifacts = self.material.artifacts.get(key)
        why = []
        before = models.find_version(self.tx, *key)
        if artifacts is None and spec.artifact is not None:
            why.append("its artifact is not here; what is known of it stays")
        training = None
        if spec.trained is not None:
            training, changed = _training(spec, self.material.training_data[key], before)
            why += [f"{text} is no longer what it was trained on" for text in changed]

        def act() -> None:
            models.declare_version(
                self.tx,
                *key,
                artifacts=artifacts,
                training=training,
                description=spec.description,
                tags=dict(spec.tags) or None,
                created=None if spec.created is None else round(spec.created.timestamp() * 1_000_000),
            )
            made = models.version(self.tx, *key)
            lineage.of_version(self.tx, *key, made.training, made.artifacts)

        return self._step("version", f"{model}/{spec.version}", act, "; ".join(why))

    def _endpoints(self) -> Iterator[Step]:
        for spec in self.declared.endpoints.values():
            yield self._endpoint(spec)
            yield from self._deployments(spec)

    def _endpoint(self, spec: EndpointSpec) -> Step:
        captures = None if spec.captures is None else kept_place(self.declared, self.root, spec.captures)
        return self._step(
            "endpoint",
            spec.name,
            lambda: endpoints.declare(
                self.tx,
                spec.name,
                kind=spec.kind,
                captures=captures,
                description=spec.description,
                tags=dict(spec.tags) or None,
            ),
            quiet={"kind": "endpoint", "status": "InService"},
        )

    def _deployments(self, spec: EndpointSpec) -> Iterator[Step]:
        tx = self.tx
        serving = {one.variant: one for one in endpoints.serving(tx, spec.name)}
        for variant in spec.variants:
            if variant.version is None:
                raise UsageError(
                    f"the model {variant.model!r} has no versions",
                    code="E-PLAN",
                    field=f"endpoints.{spec.name}.model",
                    fix=f"declare one with [[models.{variant.model}.versions]]",
                )
            version, last = variant.version, serving.pop(variant.name, None)
            # Alone, a variant has all the traffic, whatever its weight.
            is_alone = len(spec.variants) == 1 and (last is None or last.weight in (None, variant.weight))
            weight = None if is_alone else variant.weight

            def act(name: str = variant.name, model: str = variant.model) -> None:
                if endpoints.deploy(tx, spec.name, model, version, variant=name, weight=weight):  # noqa: B023
                    self._link(spec.name, name)

            yield self._step(
                "deployment", f"{spec.name}/{variant.name}", act, quiet={"variant": variant.name}
            )
        for name in sorted(serving):

            def end(name: str = name) -> None:
                endpoints.undeploy(tx, spec.name, variant=name)
                self._link(spec.name, name)

            yield self._step("deployment", f"{spec.name}/{name}", end)

    def _link(self, endpoint: str, variant: str) -> None:
        """Let the lineage know of what begins, and of what ended there."""
        told = [one for one in endpoints.history(self.tx, endpoint) if one.variant == variant]
        for one in told[-2:]:
            lineage.of_deployment(self.tx, one)

    # --- baselines --------------------------------------------------------------------------------------------------

    def _baseline(self, spec: BaselineSpec) -> Step:
        verdict = self.material.baselines[spec.name]
        if verdict.draft is not None:
            return self._proposal(spec, verdict.draft)
        start = len(self.tx.notes)
        why = verdict.why
        if verdict.accept is not None and self.accept:
            baselines.accept(self.tx, spec.name, verdict.accept)
            why = f"version {verdict.accept}"
        baselines.assign(self.tx, spec.name, model=spec.model, spec=verdict.same)
        notes = self.tx.notes[start:]
        step = folded("baseline", spec.name, notes, why=why)
        if any(note.action == "baseline.accepted" for note in notes):
            return Step("accept", "baseline", spec.name, why=why)
        return step

    def _proposal(self, spec: BaselineSpec, draft: Draft) -> Step:
        current = baselines.find_current(self.tx, spec.name)
        if (None if current is None else current.version) != draft.against:
            raise changed_since()
        accept = self.accept or draft.against is None
        made = baselines.propose(
            self.tx,
            spec.name,
            kind=spec.kind,
            path=draft.path,
            digest=draft.digest,
            model=spec.model,
            spec=draft.spec,
            diff=draft.diff,
            accept=accept,
        )
        if made.version != draft.version:
            if made.state == "current" and made.digest == draft.digest:
                return Step("none", "baseline", spec.name)
            raise changed_since()
        sources = list(draft.spec.get("data") or ())
        if "folder" in draft.spec:
            sources = [{"uri": draft.spec["folder"], "digest": draft.spec["digest"]}]
        lineage.of_baseline(self.tx, spec.name, made.version, made.path, made.digest, sources, spec.model)
        noun = "column" if spec.kind == "data-quality" else "value"
        if draft.against is None:
            n = draft.diff["counts"]["added"]
            made_from = ", ".join(str(source["uri"]) for source in sources)
            about = (Change("from", None, made_from), Change(f"{noun}s", None, f"{n:,}"))
            return Step("create", "baseline", spec.name, about, f"version {draft.version}")
        changes = diff_changes(draft.diff, noun=noun) or (
            Change("constraints", None, "as they were; the data are others"),
        )
        state = (
            f"version {draft.version}, accepted"
            if accept
            else f"version {draft.version}; it counts once it is accepted"
        )
        return Step("propose", "baseline", spec.name, changes, state)

    # --- targets and monitors ---------------------------------------------------------------------------------------

    def _target(self, spec: TargetSpec) -> Step:
        from driftline.monitor.post import target_of

        plain = self._without_none(spec.canonical())
        config = {key: value for key, value in plain.items() if key not in ("name", "kind", "enabled")}
        target_of(spec.name, spec.kind, config)
        return self._step(
            "target",
            spec.name,
            lambda: targets.declare(self.tx, spec.name, kind=spec.kind, config=config, enabled=spec.enabled),
        )

    def _monitor(self, spec: MonitorSpec) -> Step:
        from driftline.configuration.specs import MonitorSpec as Monitor
        from driftline.monitor.planning import plan_schedule

        plain = spec.canonical()
        config = {key: value for key, value in plain.items() if key not in _NOT_CONFIG}
        if spec.preprocessor is not None:
            # The copy, so that a run does not depend on anybody's checkout.
            config["preprocessor"] = self.material.preprocessors[spec.name]

        def act() -> None:
            before = schedules.find(self.tx, spec.name)
            if before is not None and any(
                before.config.get(key) != config[key] for key in ("schedule", "timezone")
            ):
                # Its windows so far are looked at as they were; those of the new expression begin now.
                plan_schedule(self.tx, spec.name, closing=True)
            schedules.declare(
                self.tx,
                spec.name,
                endpoint=spec.endpoint,
                kind=spec.kind,
                config=config,
                baseline=spec.baseline,
                enabled=spec.enabled,
            )
            self._rules(spec)

        quiet = Monitor(spec.name, "", "", "").canonical()
        quiet |= {f"alert default.{key}": value for key, value in _rule(quiet["alerts"][0]).items()}
        return self._step("schedule", spec.name, act, quiet=quiet)

    def _rules(self, spec: MonitorSpec) -> None:
        for rule in spec.alerts:
            given = _rule(rule.canonical())
            alerts.declare_rule(self.tx, spec.name, rule.name, **given)
        names = {rule.name for rule in spec.alerts}
        for there in alerts.rules(self.tx, spec.name):
            if there.name not in names:
                alerts.remove_rule(self.tx, spec.name, there.name)

    # --- what is not mentioned --------------------------------------------------------------------------------------

    def _rest(self) -> Iterator[Step]:
        tx, declared = self.tx, self.declared
        used_endpoints = {monitor.endpoint for monitor in declared.monitors.values()}
        used_models = {
            variant.model for endpoint in declared.endpoints.values() for variant in endpoint.variants
        } | {baseline.model for baseline in declared.baselines.values()}
        groups: tuple[tuple[str, list[str], set[str], set[Any], Callable[[str], object]], ...] = (
            (
                "schedule",
                [one.name for one in schedules.list_schedules(tx)],
                set(declared.monitors),
                set(),
                lambda n: schedules.archive(tx, n),
            ),
            (
                "target",
                self._there(targets.list_targets),
                set(declared.targets),
                set(),
                lambda n: targets.archive(tx, n),
            ),
            (
                "endpoint",
                self._there(endpoints.list_endpoints),
                set(declared.endpoints),
                used_endpoints,
                lambda n: endpoints.archive(tx, n),
            ),
            (
                "model",
                self._there(models.list_models),
                set(declared.models),
                used_models,
                lambda n: models.archive(tx, n),
            ),
        )
        for kind, there, named, used, archive in groups:
            for name in there:
                if name in named:
                    continue
                if not self.prune or name in used or (kind == "model" and self._is_served(name)):
                    self.left.append((kind, name))
                else:
                    yield self._step(kind, name, lambda name=name, archive=archive: archive(name))  # type: ignore[misc]
        for name in self._there(baselines.list_baselines):
            if name not in declared.baselines:
                self.left.append(("baseline", name))

    def _is_served(self, model: str) -> bool:
        """Tell whether an endpoint that stays serves a model."""
        return bool(endpoints.list_endpoints(self.tx, model=model, limit=1))

    def _there(self, listing: Callable[..., list[Any]]) -> list[str]:
        return names_of(self.tx, listing)


def names_of(tx: Tx, listing: Callable[..., list[Any]]) -> list[str]:
    """Return all names that a room lists, page by page."""
    found: list[str] = []
    while page := listing(tx, after=found[-1] if found else None, limit=_PAGE):
        found += [one.name for one in page]
        if len(page) < _PAGE:
            break
    return found


def changed_since() -> UsageError:
    """Build the error of a plan that was overtaken."""
    return UsageError(
        "the workspace has changed since the plan was made",
        code="E-PLAN",
        fix="look at the plan again",
    )


def _rule(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alert of the file as the registry has it."""
    # There, the run that is clean counts itself.
    return {**{k: v for k, v in plain.items() if k != "name"}, "keep_firing": max(1, plain["keep_firing"])}


def _training(
    spec: VersionSpec, data: list[dict[str, Any]], before: models.Version | None
) -> tuple[dict[str, Any], list[str]]:
    """Return how a version was trained, and which data are no longer what they were.

    What was once known stays: a file that is overwritten does not change what a model was trained on.
    """
    assert spec.trained is not None
    was = dict(before.training) if before is not None else {}
    earlier = {item.get("uri"): item for item in was.get("data") or () if isinstance(item, dict)}
    kept, changed = [], []
    for item in data:
        old = earlier.get(item["uri"])
        if old is not None and old.get("digest"):
            if item.get("digest") not in (None, old["digest"]):
                changed.append(item["uri"])
            kept.append(old)
        else:
            kept.append(item)
    plain = spec.trained.canonical()
    said = {key: value for key, value in plain.items() if value and key != "data"}
    return {**was, **said, **({"data": kept} if kept else {})}, changed
