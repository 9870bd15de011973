"""What the answers gave, compared with what the solutions give; and what the student is told."""
