"""The author's tool: do a lesson's checks notice every bug, and let right answers pass?"""
