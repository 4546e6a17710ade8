"""`next_kind`: is a learner's next event of one kind? Any course will do."""
