"""Models behind one contract: what they can be asked (``contract``), which there are (``registry``, ``catalogue``).

``families`` are the kinds of models (with ``onnx``, ``remote`` and ``ultralytics``), ``parts`` what they are made of,
``folder`` where their weights are.
"""
