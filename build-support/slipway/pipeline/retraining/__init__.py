"""From a schedule, a push or a drift to the merge request of a retrained model."""
