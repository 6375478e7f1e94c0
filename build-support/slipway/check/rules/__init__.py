"""The rules, in one folder per hundred; importing this module registers them all.

A rule's number leads to its folder: SW404 is in ``ensemble_4xx``.
"""

from slipway.check.rules.config_2xx import (
    backends,
    instances,
    onnx_runtime,
    other_images,
    release,
    scheduling,
    schema,
    sequences,
    shipped_environment,
    tensor_options,
    tensor_shapes,
    tensors,
    unfilled,
)
from slipway.check.rules.ensemble_4xx import dataflow, edges, ensemble, maps
from slipway.check.rules.environment_6xx import environment
from slipway.check.rules.evaluation_8xx import evaluation
from slipway.check.rules.ignore_9xx import ignores
from slipway.check.rules.layout_1xx import (
    layout,
    names,
    release_version,
    served_model,
    sources,
    versions,
)
from slipway.check.rules.python_5xx import (
    bls,
    imports,
    python_calls,
    python_models,
    python_responses,
    python_senders,
    python_tensors,
    python_types,
    python_undefined,
    python_writes,
    server_modules,
)
from slipway.check.rules.safety_7xx import security, size
from slipway.check.rules.weights_3xx import (
    backend_files,
    elsewhere,
    graph_names,
    graph_needs,
    graph_scalars,
    graph_types,
    two_rows,
    weights,
)

__all__ = [
    "backend_files",
    "backends",
    "bls",
    "dataflow",
    "edges",
    "elsewhere",
    "ensemble",
    "environment",
    "evaluation",
    "graph_names",
    "graph_needs",
    "graph_scalars",
    "graph_types",
    "ignores",
    "imports",
    "instances",
    "layout",
    "maps",
    "names",
    "onnx_runtime",
    "other_images",
    "python_calls",
    "python_models",
    "python_responses",
    "python_senders",
    "python_tensors",
    "python_types",
    "python_undefined",
    "python_writes",
    "release",
    "release_version",
    "scheduling",
    "schema",
    "security",
    "sequences",
    "served_model",
    "server_modules",
    "shipped_environment",
    "size",
    "sources",
    "tensor_options",
    "tensor_shapes",
    "tensors",
    "two_rows",
    "unfilled",
    "versions",
    "weights",
]
