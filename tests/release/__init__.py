"""What is released, made and tried as those who install it meet it."""
