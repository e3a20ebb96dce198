"""What a report says: rows and columns, fronts, findings, changes."""
