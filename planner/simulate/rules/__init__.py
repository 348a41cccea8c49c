"""What controllers do next: pure functions of objects as the API writes them."""
