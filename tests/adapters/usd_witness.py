"""What one program says about USD files, as JSON; run as a program of its own by `usd_judges`.

`python usd_witness.py QUESTION PATH...` answers with whatever `pxr` comes first on the path.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path


def core(paths: list[str]) -> list[str]:
    """Return what USD's own validators, all of them, and its diagnostics say."""
    from pxr import Usd, UsdUtils, UsdValidation

    said = []
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    context = UsdValidation.ValidationContext(validators)
    for path in paths:
        # On opening alone: validators look for missing files by warnings of their own.
        delegate = UsdUtils.CoalescingDiagnosticDelegate()
        stage = Usd.Stage.Open(path)
        found = [part.commentary for part in delegate.TakeUncoalescedDiagnostics()]
        del delegate
        found.extend(error.GetErrorAsString() for error in context.Validate(stage))
        said.extend(f"{Path(path).name}: {text}" for text in found)
    return said


def nvidia(paths: list[str]) -> list[str]:
    """Return what NVIDIA's rules say, those that are on without asking."""
    from usd_validation_nvidia import IssueSeverity, ValidationEngine

    said = []
    for path in paths:
        for issue in ValidationEngine().validate(path).issues():
            if issue.severity not in (IssueSeverity.INFO, IssueSeverity.NONE):
                rule = issue.rule.__name__ if issue.rule else "engine"
                text = f"{issue.severity.name.lower()}: {rule}: {issue.message} {issue.at or ''}"
                said.append(f"{Path(path).name}: {text}")
    return said


def values(paths: list[str]) -> list[dict]:
    """Return what USD composes of each file."""
    from pxr import Usd, UsdUtils

    delegate = UsdUtils.CoalescingDiagnosticDelegate()  # new releases note what old ones miss
    found = [_stage(Usd.Stage.Open(path)) for path in paths]
    del delegate
    return found


def beneath(paths: list[str]) -> list[dict]:
    """Return what USD composes of each file once what castline laid over it, if it did, is mute.

    Also of what is inside instances, and with the whole paths of files.
    """
    from pxr import Usd, UsdUtils

    delegate = UsdUtils.CoalescingDiagnosticDelegate()
    found = []
    for path in paths:
        stage = Usd.Stage.Open(path)
        for layer in stage.GetLayerStack():
            if "overlay" in layer.customLayerData.get("castline", {}):
                stage.MuteLayer(layer.identifier)
        everything = Usd.TraverseInstanceProxies(Usd.PrimAllPrimsPredicate)
        prims = Usd.PrimRange.Stage(stage, everything)
        found.append({**_world(stage), "prims": {str(p.GetPath()): _prim(p, "") for p in prims}})
    del delegate
    return found


def tiny(paths: list[str]) -> list[dict]:
    """Return what USD composes of what tinyusdz read of each file and wrote as text."""
    import tinyusdz

    found = []
    for path in paths:
        copy = Path(path).with_name(f".{Path(path).stem}.tiny.usda")  # media keep their places
        text = tinyusdz.load(path).export_to_string()
        text = re.sub(r"\(offset = (\S+), scale = ", r"(offset = \1; scale = ", text)  # its slip
        copy.write_text(text, encoding="utf-8")
        try:
            found.extend(values([str(copy)]))
        finally:
            copy.unlink()
    return found


def _stage(stage) -> dict:
    home = f"{Path(stage.GetRootLayer().realPath).parent}/"
    return {
        **_world(stage),
        "prims": {str(prim.GetPath()): _prim(prim, home) for prim in stage.TraverseAll()},
    }


def _world(stage) -> dict:
    names = ("startTimeCode", "endTimeCode", "timeCodesPerSecond", "framesPerSecond")
    return {
        "stage": {
            **{name: stage.GetMetadata(name) for name in names},
            "defaultPrim": stage.GetRootLayer().defaultPrim,
            "upAxis": str(stage.GetMetadata("upAxis")),
            "metersPerUnit": stage.GetMetadata("metersPerUnit"),
        },
    }


def _prim(prim, home: str) -> dict:
    applied = prim.GetMetadata("apiSchemas")
    sets = prim.GetVariantSets()
    return {
        "type": str(prim.GetTypeName()),
        "kind": str(prim.GetMetadata("kind") or ""),
        "name": prim.GetMetadata("displayName") or "",
        "apiSchemas": list(map(str, applied.GetAppliedItems())) if applied else [],
        "variants": {
            name: [sets.GetVariantSelection(name), *sets.GetVariantSet(name).GetVariantNames()]
            for name in sets.GetNames()
        },
        "assetInfo": _plain(dict(prim.GetAssetInfo()), home),
        "attributes": {a.GetName(): _value(a, home) for a in prim.GetAuthoredAttributes()},
        "relationships": {
            r.GetName(): list(map(str, r.GetTargets())) for r in prim.GetAuthoredRelationships()
        },
    }


def _value(attribute, home: str):
    """Return the samples by their times, where there are any, else the value."""
    if attribute.GetStage().GetTimeCodesPerSecond() > 0:
        times = attribute.GetTimeSamples()
    else:  # with a rate of 0 USD looks for them for ever
        times = [0.0, 1.0, 100.0]
    if times:
        return {repr(time): _plain(attribute.Get(time), home) for time in times}
    return _plain(attribute.Get(), home)


def _plain(value, home: str):
    from pxr import Sdf

    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Sdf.AssetPath):
        return [value.path, value.resolvedPath.removeprefix(home)]
    if isinstance(value, Sdf.TimeCode):
        return value.GetValue()
    if isinstance(value, dict):
        return {key: _plain(item, home) for key, item in value.items()}
    if hasattr(value, "__iter__"):
        return [_plain(item, home) for item in value]
    return str(value)


QUESTIONS = {question.__name__: question for question in (core, nvidia, values, beneath, tiny)}

if __name__ == "__main__":
    answer = QUESTIONS[sys.argv[1]](sys.argv[2:])
    sys.stdout.write(f"\n{json.dumps(answer)}")
