"""Doing recorded steps again: a guard that compares screens, and the recorded turn that comes next.

Nothing is imported here, so that a run without trajectories loads neither numpy nor OpenCV.
"""
