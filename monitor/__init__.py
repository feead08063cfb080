"""Monitor: recipes, checks and the engine (pure), and the job that wires them to files and clocks."""
