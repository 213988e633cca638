"""Places (指标): what became of each after publication; none is ever given to somebody else (不予递补)."""
