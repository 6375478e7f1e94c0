"""Commands that watch what models are asked, and explain their answers."""
