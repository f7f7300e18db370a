"""State machines: their model, the notation they are written in, validation, pictures, registration."""
