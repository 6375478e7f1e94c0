"""Every model's tests get the fixture `model`, golden cases and the contract test."""

pytest_plugins = ["slipway.testing.plugin"]
