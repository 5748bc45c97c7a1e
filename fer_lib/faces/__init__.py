"""From a picture to its face: found, measured, cut out."""
