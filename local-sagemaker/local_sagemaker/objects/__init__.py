"""S3 object bytes as plain files."""
