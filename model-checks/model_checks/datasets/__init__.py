"""Reads datasets: files in the formats of Model Monitor and Clarify as blocks of columns, larger than memory."""
