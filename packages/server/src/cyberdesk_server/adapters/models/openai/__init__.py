"""Models behind OpenAI's Responses API, and behind the chat completions of any server that speaks them."""
