"""How a case flows: definitions, the engine, the clock and its calendar, the services. Pure."""
