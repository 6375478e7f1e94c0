"""What the server may complete in a config, where the settings let it (auto-complete).

Triton core completes no tensors itself; a backend may. The Python backend calls
``auto_complete_config`` (pb_stub.cc). PyTorch's and FIL's complete nothing (pt/model_state.cc,
AutoCompleteConfig; rapids_triton does not ask for it). ONNX Runtime's: graph_completion.py.
"""

from __future__ import annotations

from slipway.check.config_file import ConfigFile
from slipway.check.graph_completion import lists_tensors
from slipway.check.model_under_check import ModelUnderCheck

COMPLETE_NOTHING = ("pytorch", "fil")
FUNCTION = "auto_complete_config"


def may_complete(model: ModelUnderCheck, config: ConfigFile) -> bool:
    """Return whether the server may add tensors, or parts of them, to this config.

    A single config is judged as by a server with auto-complete.
    """
    if model.is_single_config:
        return True
    if model.settings.explicit_tensors or config.is_ensemble or config.message is None:
        return False
    if config.backend == "python":
        return any(FUNCTION in file.text for file in model.modules[config.name])
    if config.backend == "onnxruntime":
        return batch_follows_weights(config)
    return config.backend not in COMPLETE_NOTHING


def batch_follows_weights(config: ConfigFile) -> bool:
    """Return whether the backend may derive a batch size that the config leaves out.

    ONNX Runtime's does not where inputs and outputs are listed; a Python model or an ensemble has
    no weights that Triton reads.
    """
    message = config.message
    if not config.backend or config.backend in ("python", *COMPLETE_NOTHING) or message is None:
        return False
    return not (config.backend == "onnxruntime" and lists_tensors(message))
