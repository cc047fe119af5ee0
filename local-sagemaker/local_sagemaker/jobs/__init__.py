"""The job runtime: channels in, processes run, outputs out. Knows no operation and no record."""
