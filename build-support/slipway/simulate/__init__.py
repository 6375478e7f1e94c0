"""Simulate a fleet of instances that share many models, before it is paid for."""
