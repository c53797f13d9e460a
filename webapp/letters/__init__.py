"""Letters: what the county hands out on paper, from templates to PDF."""
