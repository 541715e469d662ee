"""Items in batches: processed, sized by how the last batches went, refined from what was not sure."""
