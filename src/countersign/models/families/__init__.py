"""The families: one file each, its cards beside it. ``onnx``, ``remote`` and ``ultralytics`` have packages instead."""
