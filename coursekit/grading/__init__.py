"""From one source a lesson: the student's notebook, the solved one, and what grades them."""
