"""One pipeline and one loop: how nets are trained and optimized."""
