"""The built-in tasks: plain task files, as a user would write them."""
