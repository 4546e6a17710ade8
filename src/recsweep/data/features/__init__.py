"""Turning declared columns of learners and courses into numbers, fitted before a fold's cut only;
and what is known of events (`events.py`).

Categories and tags become 0/1 columns, numbers are standardised (`columns.py`), text becomes a few
numbers (`text.py`). A column that is the same for every row of training is left out. A table with
`valid_from` gives the row that stood at the asked time (`dated.py`).
"""
