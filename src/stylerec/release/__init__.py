"""What is promoted as one: building, publishing, verifying and rolling back a release."""
