"""The YOLO family of the Ultralytics library, which is under AGPL-3.0: an optional extra, in a process of its own.

``cards`` (what there is), ``family`` (references), ``model`` (predictions), ``process`` (speaks for the process),
``worker`` (the process: the only module that imports the library), ``pipes`` (what they say to each other).
"""
