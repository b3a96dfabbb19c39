"""The next-item model in PyTorch: causal self-attention over a customer's history."""
