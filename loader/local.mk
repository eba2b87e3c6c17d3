## loader
