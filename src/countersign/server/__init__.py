"""The web server: the verbs of the workbench over HTTP, and the files of the user interface.

Routes translate between JSON and the verbs; what a verb does is not known here. torch is never imported in this
process.
"""
