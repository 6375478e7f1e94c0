"""What PyTorch, TensorFlow and Keras share: reading their files, graphs of ONNX, arrays.

All but ``keras_file`` and ``torch_file`` run in conversion environments, which have the framework.
"""
