"""The project: its template, what has to hold before it is created, the contents of its repositories, and its end."""
