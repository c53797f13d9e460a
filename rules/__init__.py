"""What follows from the facts. Pure: no Flask, no database, no sibling package."""
