"""The abalone pipeline: predict the age of a shellfish, with five checks, a quality gate and a registered model."""
