"""Two models trained side by side, then a multi-model endpoint that serves both, made by a Lambda step."""
