"""The release of Triton that first had a field or value of ``ModelConfig``.

Taken from ``protobuf/model_config.proto`` of github.com/triton-inference-server/common: the release
branches r21.05 to r26.07 were compiled separately, and the names in their descriptors compared. No
name was ever removed. A name that is not in the table is older, or newer than the table.
:data:`NAMES` is the number of names at that time, so that a test notices a schema with more.
"""

from __future__ import annotations

NAMES = 225
# a field as Message.field, an enum's value as Enum:VALUE
SINCE = {
    "ModelInstanceGroup.SecondaryDevice.SecondaryDeviceKind:KIND_NVDLA": "21.06",
    "ModelInstanceGroup.SecondaryDevice.device_id": "21.06",
    "ModelInstanceGroup.SecondaryDevice.kind": "21.06",
    "ModelInstanceGroup.host_policy": "21.06",
    "ModelInstanceGroup.passive": "21.06",
    "ModelInstanceGroup.secondary_devices": "21.06",
    "ModelSequenceBatching.Control.bool_false_true": "21.09",
    "ModelConfig.response_cache": "21.10",
    "ModelResponseCache.enable": "21.10",
    "ModelSequenceBatching.State.data_type": "21.11",
    "ModelSequenceBatching.State.dims": "21.11",
    "ModelSequenceBatching.State.input_name": "21.11",
    "ModelSequenceBatching.State.output_name": "21.11",
    "ModelSequenceBatching.state": "21.11",
    "ModelInput.optional": "22.01",
    "ModelSequenceBatching.InitialState.data_file": "22.01",
    "ModelSequenceBatching.InitialState.data_type": "22.01",
    "ModelSequenceBatching.InitialState.dims": "22.01",
    "ModelSequenceBatching.InitialState.name": "22.01",
    "ModelSequenceBatching.InitialState.zero_data": "22.01",
    "ModelSequenceBatching.State.initial_state": "22.01",
    "BatchInput.Kind:BATCH_ITEM_SHAPE": "22.03",
    "BatchInput.Kind:BATCH_ITEM_SHAPE_FLATTEN": "22.03",
    "DataType:TYPE_BF16": "22.05",
    "ModelWarmup.count": "22.07",
    "ModelEnsembling.Step.model_namespace": "23.03",
    "ModelSequenceBatching.StrategyOldest.preserve_ordering": "23.08",
    "ModelSequenceBatching.State.use_growable_memory": "23.11",
    "ModelSequenceBatching.State.use_same_buffer_for_input_output": "23.11",
    "ModelSequenceBatching.iterative_sequence": "23.11",
    "ModelConfig.runtime": "24.01",
    "ModelInput.is_non_linear_format_io": "24.08",
    "ModelOutput.is_non_linear_format_io": "24.08",
    "ModelConfig.model_metrics": "24.11",
    "ModelMetrics.MetricControl.HistogramOptions.buckets": "24.11",
    "ModelMetrics.MetricControl.MetricIdentifier.family": "24.11",
    "ModelMetrics.MetricControl.histogram_options": "24.11",
    "ModelMetrics.MetricControl.metric_identifier": "24.11",
    "ModelMetrics.metric_control": "24.11",
    "ModelEnsembling.max_inflight_requests": "25.11",
}
