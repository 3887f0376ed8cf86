"""Any ONNX model through a small description: what it takes (``inputs``), how its outputs are read (``decoders``)."""
