"""Trainings whose files ``benchmarks/conversions.py`` brings in, one program a framework.

Each runs in the conversion environment of its format, and writes its files to the folder that it is
called with. A file ``NAME.rows.json`` next to one are the rows to compare on.
"""
