"""The machine: safe files, locks, quiet libraries, and plain forms of tables and pixels."""
