"""The task `text`: which label does a text bear?"""
