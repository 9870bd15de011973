"""Notebooks made of a student's answers and the lesson's cells, and run by nbval in a sandbox."""
