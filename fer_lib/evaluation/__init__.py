"""From predictions to numbers, with intervals."""
