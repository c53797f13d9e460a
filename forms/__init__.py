"""What is asked. Pure: no Flask, no database; of its siblings only rules.values and rules.conditions."""
