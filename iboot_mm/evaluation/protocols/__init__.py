"""Which config is which of the papers' rows, and what the papers say there."""
