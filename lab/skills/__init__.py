"""How the memory-skills adapter is made: of natural messages, real paragraphs and generated scenes."""
