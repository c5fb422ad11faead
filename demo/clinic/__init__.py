"""A small clinic program as they were built in the nineties: something real for the demo to drive."""
