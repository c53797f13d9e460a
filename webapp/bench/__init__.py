"""Measurements, each beside a floor or a peer in the same run. Nothing here is imported by the product."""
