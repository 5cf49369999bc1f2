"""The machine: files that are safe, and quiet libraries."""
