"""Work on what clients wrote, in processes that can be ended: bounded in time and memory."""
