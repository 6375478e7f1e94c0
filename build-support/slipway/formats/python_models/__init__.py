"""Models of Triton's Python backend that load a framework's file with the framework itself.

They are copied to the folder of a model, and no library module imports them.
"""
