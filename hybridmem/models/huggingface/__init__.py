"""Causal language models of transformers, with LoRA adapters in and out."""
