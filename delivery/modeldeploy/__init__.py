"""The deployment repository: from the latest approved version to a tested staging endpoint and to production."""
