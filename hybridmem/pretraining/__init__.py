"""How the bundled base model is made: its training documents, its tokenizer, its training loop."""
