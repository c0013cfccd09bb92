"""Skills: procedures that an agent went through, taken from its traces by rule, counted by how they ended, and recalled
by task. Nothing here is trained into weights."""
