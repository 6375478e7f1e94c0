"""What the pytest plugin writes about a run into its JUnit report, as properties of the suite."""

# the digest of the artifact that was unpacked and served, and the model it is of: a pair a model
SHA256 = "slipway.artifact.sha256"
MODEL = "slipway.model"
SERVER = "slipway.server"
# "true" once a run that left nothing out has ended; else INCOMPLETE says what it left out
COMPLETE = "slipway.complete"
INCOMPLETE = "slipway.incomplete"
# the name of the case that every model gets
CONTRACT = "contract"
