"""The verbs of the workbench against a server, over HTTP: ``countersign.connect(url, token)``.

Gives what the verbs in this process give: the same names, the same arguments, the same values.
"""
