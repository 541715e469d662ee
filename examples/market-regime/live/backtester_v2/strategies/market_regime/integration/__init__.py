"""What the routes of the screens call."""
