"""What travels over HTTP, as pydantic models: one module per noun. The routes declare them; ``wire`` fills them."""
