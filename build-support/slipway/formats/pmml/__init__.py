"""PMML: what a document tells of its fields, and how pypmml answers."""
