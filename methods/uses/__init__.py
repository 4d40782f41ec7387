"""What a net does with its weights, read off its jaxpr: what multiplies, what is looked up, along which axes."""
