"""What knows torch and transformers: loading, generating, and giving memory back in one process."""
