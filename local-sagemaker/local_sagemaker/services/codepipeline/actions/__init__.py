"""The actions that pipelines have here: one module a provider, listed in ``services/codepipeline/__init__.py``."""
