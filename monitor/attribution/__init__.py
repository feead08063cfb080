"""Feature attribution: recipe and job."""
