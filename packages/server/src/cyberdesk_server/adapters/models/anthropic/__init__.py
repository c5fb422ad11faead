"""Models that Anthropic answers for, through its Messages API and its computer tools."""
