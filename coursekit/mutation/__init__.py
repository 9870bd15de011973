"""The author's tool: do the checks of a lesson tell right answers from wrong ones?"""
