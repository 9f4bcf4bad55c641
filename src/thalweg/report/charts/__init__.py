"""The charts: each a pure function from numbers to a string of inline SVG."""
