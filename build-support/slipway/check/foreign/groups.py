"""Divide the models of a repository into those that are served, each with what it calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipway.check.foreign.calls import Calls, calls_of
from slipway.check.foreign.discover import SourceModel


@dataclass(frozen=True)
class Group:
    """A served model, and those that it calls as steps or from its code, directly or not.

    ``calls`` are those of the Python models, by the name of their directory.
    """

    served: SourceModel
    others: tuple[SourceModel, ...]
    calls: Mapping[str, Calls]

    @property
    def models(self) -> tuple[SourceModel, ...]:
        """Return all models, the served one first."""
        return (self.served, *self.others)

    @property
    def needs_ensemble(self) -> bool:
        """Return whether there are several models and no ensemble, which would be served."""
        return bool(self.others) and not any(model.is_ensemble for model in self.models)


def find_groups(models: Sequence[SourceModel]) -> list[Group]:
    """Return a group for each model that no other one calls.

    A model that several groups call is in each of them. Models that call each other in a circle are
    a group of the first.
    """
    calls, callees = _calls(models)
    called = {callee.name for found in callees.values() for callee in found}
    groups: list[Group] = []
    grouped: set[str] = set()
    roots = [model for model in models if model.name not in called]
    in_circles = [model for model in models if model not in roots]
    for model in [*roots, *in_circles]:
        if model in roots or model.name not in grouped:
            members = _closure(model, callees)
            grouped |= {member.name for member in members}
            groups.append(_group(members, calls))
    return groups


def group_of(served: SourceModel, models: Sequence[SourceModel]) -> Group:
    """Return the group of one of the models of a repository, whether others call it or not."""
    calls, callees = _calls(models)
    return _group(_closure(served, callees), calls)


def _calls(
    models: Sequence[SourceModel],
) -> tuple[dict[str, Calls], dict[str, list[SourceModel]]]:
    """Return the calls of each model's code, and the models that it calls as steps or from code."""
    by_name = {name: model for model in reversed(models) for name in model.names}
    by_name |= {model.name: model for model in models}
    calls = {model.name: calls_of(model, by_name) for model in models}
    return calls, {model.name: _callees(model, calls[model.name], by_name) for model in models}


def _group(members: Sequence[SourceModel], calls: Mapping[str, Calls]) -> Group:
    own = {member.name: calls[member.name] for member in members}
    return Group(members[0], tuple(members[1:]), own)


def _callees(
    model: SourceModel, calls: Calls, by_name: Mapping[str, SourceModel]
) -> list[SourceModel]:
    steps = [step.model_name for step in model.message.ensemble_scheduling.step]
    names = dict.fromkeys([*steps, *sorted(calls.names)])
    found = [by_name[name] for name in names if name in by_name]
    return [callee for callee in dict.fromkeys(found) if callee is not model]


def _closure(model: SourceModel, callees: Mapping[str, Sequence[SourceModel]]) -> list[SourceModel]:
    members = [model]
    for member in members:  # grows while it is walked
        members += [callee for callee in callees[member.name] if callee not in members]
    return members
