"""From files to a study table: one row per picture."""
