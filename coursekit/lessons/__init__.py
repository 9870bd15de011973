"""From one source a lesson: the student's notebook, the solved one, and a repository of them."""
