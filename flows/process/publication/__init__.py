"""Publication (公示): two people make a run the official result, and from then on it stands."""
