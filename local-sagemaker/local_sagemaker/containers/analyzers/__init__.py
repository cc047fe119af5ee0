"""The programs inside the Model Monitor and Clarify images: the containers' contracts around `model_checks`.

Imported in the processes of jobs only, never by the server: they need pandas, pyarrow, scipy and matplotlib.
"""
