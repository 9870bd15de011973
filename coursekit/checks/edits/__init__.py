"""Small changes of an answer: the slips that people make, and what mends them."""
