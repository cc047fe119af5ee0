"""The monitoring repository: monitors of the deployed versions, on staging and then on production."""
