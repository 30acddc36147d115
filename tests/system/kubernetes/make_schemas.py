"""Makes schemas.json: what the API server says of the kinds that the chart uses, made strict.

    make_schemas.py swagger.json > schemas.json

swagger.json: `kubectl get --raw /openapi/v2`, or api/openapi-spec/swagger.json of the Go module
k8s.io/kubernetes. Strict: a field that a type does not have is an error, as it is not for kubectl.
"""

from __future__ import annotations

import json
import sys
from typing import Any

KINDS = {
    ("v1", "ConfigMap"): "io.k8s.api.core.v1.ConfigMap",
    ("v1", "Service"): "io.k8s.api.core.v1.Service",
    ("v1", "ServiceAccount"): "io.k8s.api.core.v1.ServiceAccount",
    ("apps/v1", "Deployment"): "io.k8s.api.apps.v1.Deployment",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): (
        "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler"
    ),
    ("batch/v1", "Job"): "io.k8s.api.batch.v1.Job",
    ("networking.k8s.io/v1", "NetworkPolicy"): "io.k8s.api.networking.v1.NetworkPolicy",
    ("policy/v1", "PodDisruptionBudget"): "io.k8s.api.policy.v1.PodDisruptionBudget",
}
# Text or number, which swagger.json calls text.
EITHER = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "integer",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "number",
}
KEPT = ("type", "required", "items", "properties", "additionalProperties", "enum")


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """Without prose, and with an end to its fields."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    made = {key: schema[key] for key in KEPT if key in schema}
    if "properties" in made:
        made["properties"] = {key: strict(value) for key, value in made["properties"].items()}
        made["additionalProperties"] = False
    elif isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = strict(made["additionalProperties"])
    if "items" in made:
        made["items"] = strict(made["items"])
    return made


def reached(schema: Any) -> set[str]:
    """Names of the types that it refers to."""
    if isinstance(schema, list):
        return set().union(*map(reached, schema))
    if not isinstance(schema, dict):
        return set()
    if "$ref" in schema:
        return {schema["$ref"].removeprefix("#/definitions/")}
    return set().union(*map(reached, schema.values()))


def main() -> None:
    with open(sys.argv[1]) as file:
        swagger = json.load(file)
    made: dict[str, Any] = {}
    wanted = set(KINDS.values())
    while wanted:
        name = wanted.pop()
        made[name] = strict(swagger["definitions"][name])
        if name in EITHER:
            made[name] = {"type": ["string", EITHER[name]]}
        wanted |= reached(made[name]) - set(made)
    print('{"version": ' + json.dumps(swagger["info"]["version"]) + ",")
    print('"kinds": {')
    print(",\n".join(f'"{group} {kind}": "{name}"' for (group, kind), name in KINDS.items()))
    print('},\n"definitions": {')
    print(",\n".join(f'"{name}": {json.dumps(made[name])}' for name in sorted(made)))
    print("}}")


if __name__ == "__main__":
    main()
