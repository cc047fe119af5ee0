"""Git repositories as CodeCommit and CodeConnections need them: bare ones, worked on by the machine's ``git``."""
