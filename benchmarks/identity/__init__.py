"""Everything that can change the bits of a net or a run; where it ran; and what says so in a workdir."""
