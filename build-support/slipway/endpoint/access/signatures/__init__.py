"""Signatures of AWS (SigV4), and the credentials that they are verified with."""
