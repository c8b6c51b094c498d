"""Training: descent engines, batches, sweeps and their store."""
