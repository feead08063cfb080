"""Model quality: recipe and job."""
