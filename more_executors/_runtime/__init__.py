"""What executors run on: their threads and loops, their delegates, their end."""
