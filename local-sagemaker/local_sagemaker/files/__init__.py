"""Files of other programs: read, copied and removed without trust in what they are or where they lead."""
