"""Statistics of entries: intervals, paired tests, ranks, Pareto fronts."""
