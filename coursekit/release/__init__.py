"""What students are given: a repository with notebooks that show no solution."""
