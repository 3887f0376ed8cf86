"""The verbs of Countersign, in-process: what the command line says, and what a server will say over HTTP.

Each verb is a function in a module of its own that takes a store and a project; ``Workspace``, ``Project`` and
``Review`` are thin objects over them. Nothing here prints.
"""
