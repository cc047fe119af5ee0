"""Server processes of models: started, supervised, and the clients that send them requests."""
