"""The names of the suite properties that the pytest plugin writes into its JUnit report."""

# the digest of the served artifact, and its model: one pair for each model
SHA256 = "slipway.artifact.sha256"
MODEL = "slipway.model"
SERVER = "slipway.server"
# a server ended by itself and was started again: the model, a space, and by which signal or status
RESTART = "slipway.server.restart"
# "true" once a complete run has ended; else INCOMPLETE says which tests it left out
COMPLETE = "slipway.complete"
INCOMPLETE = "slipway.incomplete"
# the name of the test case that every model gets
CONTRACT = "contract"
