"""From what was said to what is believed: propositions of an episode, questions that they answer, what they replace."""
