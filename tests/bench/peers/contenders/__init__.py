"""One module a way of getting shuffled image batches into a training process."""
