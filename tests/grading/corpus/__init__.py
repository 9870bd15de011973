"""Submissions with the verdict that each must get: attacks, and honest oddities.

`python -m tests.grading.corpus` grades all of them; `test_corpus.py` grades some. Each attack is
bounded in itself, aims at loopback only and writes nowhere but into its sandbox, if it is in one:
what it tries to reach outside is a bait that the test lays out.
"""
