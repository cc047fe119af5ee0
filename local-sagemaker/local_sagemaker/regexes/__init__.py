"""Regular expressions of clients: run where they can be ended, as one of a few letters may take for ever."""
