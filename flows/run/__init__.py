"""One run, in the order of the data: files, checked rows, numbers, scores, ranks, publication."""
