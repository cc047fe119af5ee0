"""Charts as SVG, made on the server: geometry by attributes, colours by classes, text escaped."""
