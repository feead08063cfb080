"""Names that the declarations use: everything that is named is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from driftline.documents import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from driftline.configuration.problem import Problems
    from driftline.configuration.specs import (
        BaselineSpec,
        EndpointSpec,
        ModelSpec,
        MonitorSpec,
        TargetSpec,
        VariantSpec,
    )

    Path = tuple[str | int, ...]

__all__ = ["References"]

_WILD = frozenset("*?[")
_MOST_NEAREST = 50


class References:
    """The names that declarations may use: those of the file, and those that exist already.

    Parameters
    ----------
    problems : Problems
    known : mapping of str to collection of str
        Names in the registry by section: ``models``, ``versions`` (as ``model/version``), ``endpoints``, ``baselines``.
    models, endpoints, baselines : mapping
        What the file declares.
    """

    def __init__(
        self,
        problems: Problems,
        known: Mapping[str, Collection[str]],
        *,
        models: Mapping[str, ModelSpec],
        endpoints: Mapping[str, EndpointSpec],
        baselines: Mapping[str, BaselineSpec],
    ) -> None:
        self._problems = problems
        self._known = known
        self._models = models
        self._endpoints = endpoints
        self._baselines = baselines
        self._n_nearest = 0

    def _nearest(self, name: str, names: Collection[str]) -> str | None:
        """Return the nearest of the names; of a file in which hardly any name is right, only for the first."""
        self._n_nearest += 1
        return nearest(name, names) if self._n_nearest <= _MOST_NEAREST else None

    def _exists(self, section: str, name: str, here: Collection[str], path: Path) -> bool:
        """Note a problem unless something of this name is there; what could not be read is left alone."""
        known = self._known.get(section, ())
        if not name or name in here or name in known:
            return bool(name)
        close = self._nearest(name, [*here, *known])
        fix = f"did you mean {close!r}?" if close else f"declare it under [{section}.{name}]"
        self._problems.add(path, f"there is no {section[:-1]} called {name!r}", fix)
        return False

    def endpoint(self, spec: EndpointSpec, path: Path, *, alone: bool) -> EndpointSpec:
        """Check the models of an endpoint, and say which version where there is but one."""
        variants = tuple(
            self._variant(variant, path if alone else (*path, "variants", number))
            for number, variant in enumerate(spec.variants)
        )
        return replace(spec, variants=variants)

    def _variant(self, variant: VariantSpec, path: Path) -> VariantSpec:
        name = variant.model
        if not self._exists("models", name, self._models, (*path, "model")):
            return variant
        here = self._models[name].versions if name in self._models else ()
        versions = [one.version for one in here]
        told = self._known.get("versions")
        versions += [one.partition("/")[2] for one in told or () if one.partition("/")[0] == name]
        versions = list(dict.fromkeys(versions))
        if variant.version is None:
            if len(versions) == 1:
                return replace(variant, version=versions[0])
            if versions:
                listed = ", ".join(versions[:5]) + (", …" if len(versions) > 5 else "")
                message = f"model {name!r} has {len(versions)} versions: {listed}"
                self._problems.add((*path, "version"), message, f'say which: version = "{versions[-1]}"')
            elif name in self._models and name not in self._known.get("models", ()):
                message = f"model {name!r} has no versions"
                self._problems.add((*path, "model"), message, f"declare one with [[models.{name}.versions]]")
        elif variant.version not in versions and (name in self._models or told is not None):
            # Of a model that is only in the registry nothing is known unless the registry's versions were given.
            if name in self._known.get("models", ()) and told is None:
                return variant
            close = self._nearest(variant.version, versions)
            fix = f"did you mean {close!r}?" if close else f"declare it with [[models.{name}.versions]]"
            self._problems.add((*path, "version"), f"model {name!r} has no version {variant.version!r}", fix)
        return variant

    def baseline(self, spec: BaselineSpec, path: Path) -> None:
        """Check the model of a baseline."""
        if spec.model is not None:
            self._exists("models", spec.model, self._models, (*path, "model"))

    def monitor(self, spec: MonitorSpec, path: Path) -> None:
        """Check the endpoint, its variant, and the baseline of a monitor."""
        self._exists("endpoints", spec.endpoint, self._endpoints, (*path, "endpoint"))
        self._exists("baselines", spec.baseline, self._baselines, (*path, "baseline"))
        baseline = self._baselines.get(spec.baseline)
        if baseline is not None and baseline.kind != spec.kind:
            message = f"is {spec.kind}, but the baseline {spec.baseline!r} is {baseline.kind}"
            self._problems.add(
                (*path, "kind"), message, f'say kind = "{baseline.kind}", or name another baseline'
            )
        endpoint = self._endpoints.get(spec.endpoint)
        if spec.variant is not None and endpoint is not None:
            names = [one.name for one in endpoint.variants]
            if spec.variant not in names:
                close = self._nearest(spec.variant, names)
                fix = (
                    f"did you mean {close!r}?" if close else f"use one of {', '.join(names)}, or leave it out"
                )
                message = f"endpoint {spec.endpoint!r} has no variant {spec.variant!r}"
                self._problems.add((*path, "variant"), message, fix)

    def target(self, spec: TargetSpec, path: Path) -> None:
        """Check the names that a target filters by; patterns may match what is yet to come."""
        for section, names, here in (
            ("models", spec.models, self._models),
            ("endpoints", spec.endpoints, self._endpoints),
        ):
            for number, name in enumerate(names):
                if not _WILD & set(name):
                    self._exists(section, name, here, (*path, section, number))
