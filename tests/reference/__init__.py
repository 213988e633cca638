"""An independent reading of the data contract, and hostile feeds to compare it with the real scorer."""
