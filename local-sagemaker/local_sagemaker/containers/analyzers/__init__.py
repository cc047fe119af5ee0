"""The programs inside the Model Monitor and Clarify images: the containers' contracts around `monitors`.

Imported in the processes of jobs only, never by the server: they need pandas, pyarrow, scipy and matplotlib.
"""
