"""What every room uses: files, failures, points, the database opened for reading, progress, settings."""
