"""Files that are whole or not there, and stored features with what they are of."""
