"""The Python half of the test harness: peers, doubles, a gateway under test, and what compares one with the other.
Standard library only.
"""
