"""The parts of `coursekit.grading.recover`: a notebook's text as cells, names and answers."""
