"""One room per format that data comes in."""
