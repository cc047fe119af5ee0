"""The programs that run inside jobs and endpoints, one folder a family; the server never imports them.

`images` names their entry functions as text; the processes of jobs import and call them.
"""
