"""A memory in the shape that another tool asks for, one module for each tool."""
