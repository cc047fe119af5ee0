"""The drawing of a graph: places by layers (after Sugiyama), then SVG. The same bytes for the same input."""
