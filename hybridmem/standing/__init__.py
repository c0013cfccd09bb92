"""What is known without being asked: the profile, blocks that an agent edits, questions that are kept answered."""
