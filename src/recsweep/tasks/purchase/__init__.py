"""`purchase`: is a course bought after this look at it?"""
