"""The order of an epoch, computed here: see server/order/README.md."""
