"""Cards of other systems, read and written."""
