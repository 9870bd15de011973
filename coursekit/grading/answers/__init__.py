"""A student's answers, found in whatever their editor and they have made of the notebook."""
