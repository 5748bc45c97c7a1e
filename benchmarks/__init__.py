"""Speed, measured as ratios inside one run, because machines differ and are noisy."""
