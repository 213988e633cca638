"""What a run keeps in its directory, and how it is found and trusted years later."""
