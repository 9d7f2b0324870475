"""Finding whom one may measure: boxes in pictures."""
