"""The content model: what a text means beyond the terms it holds. Pure; ``docs/model-card.md`` says what it can do."""
