"""Values and rules of Countersign. No files, no database, no network, no models."""
